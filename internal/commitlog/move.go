package commitlog

import (
	"path"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// FutureName returns the name of the folder in which a log grows that is being moved here from another log directory, with a random id. The
// second result is false if the topic's name is too long for it, which Kafka does not cut: it reads the name again.
func FutureName(p kafka.TopicPartition, id kafka.UUID) (string, bool) {
	name := uniqueName(kafka.TopicPartition{Partition: p.Partition}, id, futureSuffix)
	return p.Topic + name, len(p.Topic)+len(name) <= maxName
}

// Rename gives the folder another name in the same log directory, durably. Nobody else may know the log yet.
func (l *Log) Rename(name string) error {
	parent := path.Dir(l.dir.Path)
	to := path.Join(parent, name)
	if err := l.dir.FS.Rename(l.dir.Path, to); err != nil {
		return err
	}
	l.dir.Path = to
	return l.dir.FS.SyncDir(parent)
}

// Retire renames a folder of partition p in log directory dir to its deleted name, durably, and returns the new path. The log must have been closed
// or abandoned. Remove it with vfs.RemoveAll after file.delete.delay.ms; a start finds it by ParseFolder.
func Retire(f vfs.FS, dir, folder string, p kafka.TopicPartition, id kafka.UUID) (string, error) {
	to := path.Join(dir, DeletedName(p, id))
	if err := f.Rename(path.Join(dir, folder), to); err != nil {
		return "", err
	}
	return to, f.SyncDir(dir)
}
