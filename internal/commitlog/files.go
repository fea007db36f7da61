package commitlog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/commitlog/checkpoint"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Files of ours in a partition's folder, which Kafka ignores.
const (
	// damageFile lists the ranges that cannot be read: "0", the count, and a line "from end segment" for each.
	damageFile = "ottla.damaged"
	// truncationFile holds the lowest offset that the log was truncated to since the recovery point was last written down: what
	// the recovery point checkpoint says above it means nothing.
	truncationFile = "ottla.truncated"
)

// addDamage returns the ranges with one more, in order; ranges that touch in one segment become one.
func addDamage(list []Damage, d Damage) []Damage {
	list = append(slices.Clone(list), d)
	slices.SortFunc(list, func(a, b Damage) int { return cmp.Compare(a.From, b.From) })
	merged := list[:1]
	for _, d := range list[1:] {
		last := &merged[len(merged)-1]
		if d.From <= last.End && d.Segment == last.Segment {
			last.End = max(last.End, d.End)
			continue
		}
		merged = append(merged, d)
	}
	return merged
}

func readDamage(f vfs.FS, dir string) ([]Damage, error) {
	b, err := vfs.ReadFile(f, path.Join(dir, damageFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseDamage(b)
}

func parseDamage(b []byte) ([]Damage, error) {
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) < 2 || lines[0] != "0" || lines[1] != strconv.Itoa(len(lines)-2) {
		return nil, fmt.Errorf("%w: %s", checkpoint.ErrMalformed, damageFile)
	}
	var list []Damage
	for _, line := range lines[2:] {
		var n [3]int64
		words := strings.Fields(line)
		for i := range n {
			var err error
			if len(words) != len(n) {
				err = errors.New("want three numbers")
			} else {
				n[i], err = strconv.ParseInt(words[i], 10, 64)
			}
			if err != nil {
				return nil, fmt.Errorf("%w: %s: line %.80q: %w", checkpoint.ErrMalformed, damageFile, line, err)
			}
		}
		list = append(list, Damage{From: kafka.Offset(n[0]), End: kafka.Offset(n[1]), Segment: kafka.Offset(n[2])})
	}
	slices.SortFunc(list, func(a, b Damage) int { return cmp.Compare(a.From, b.From) })
	return list, nil
}

func writeDamage(f vfs.FS, dir string, list []Damage) error {
	if len(list) == 0 {
		return removeDurably(f, dir, damageFile)
	}
	b := fmt.Appendf(nil, "0\n%d\n", len(list))
	for _, d := range list {
		b = fmt.Appendf(b, "%d %d %d\n", d.From, d.End, d.Segment)
	}
	return vfs.WriteFile(f, path.Join(dir, damageFile), b)
}

func removeDurably(f vfs.FS, dir, name string) error {
	err := f.Remove(path.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.SyncDir(dir)
}

// readTruncation returns the offset in the truncation file. A file that can't be read says 0: scan everything.
func readTruncation(f vfs.FS, dir string) (kafka.Offset, bool, error) {
	b, err := vfs.ReadFile(f, path.Join(dir, truncationFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil || n < 0 {
		n = 0
	}
	return kafka.Offset(n), true, nil
}

func writeTruncation(f vfs.FS, dir string, to kafka.Offset) error {
	return vfs.WriteFile(f, path.Join(dir, truncationFile), fmt.Appendf(nil, "%d\n", int64(to)))
}

// Suffixes of the folder of a partition that is no longer, or not yet, one.
const (
	deleteSuffix = "-delete"
	futureSuffix = "-future"
	straySuffix  = "-stray"
	maxName      = 255
)

// FolderKind says what the name of a folder in a log directory makes of it.
type FolderKind int

// Kinds of folders.
const (
	// Other is a folder of something else.
	Other FolderKind = iota
	// Partition is a partition's log.
	Partition
	// Deleted is a log that is being removed.
	Deleted
	// Future is a log that is being moved here from another log directory.
	Future
	// Stray is a log that the metadata did not know at some start.
	Stray
)

// DeletedName returns the name that the folder of a deleted partition gets, with a random id; the topic is cut if the name would be too long.
func DeletedName(p kafka.TopicPartition, id kafka.UUID) string {
	return uniqueName(p, id, deleteSuffix)
}

// StrayName is DeletedName for a stray partition.
func StrayName(p kafka.TopicPartition, id kafka.UUID) string { return uniqueName(p, id, straySuffix) }

func uniqueName(p kafka.TopicPartition, id kafka.UUID, suffix string) string {
	tail := fmt.Sprintf("-%d.%x%s", p.Partition, [16]byte(id), suffix)
	return p.Topic[:min(len(p.Topic), maxName-len(tail))] + tail
}

// ParseFolder tells what a folder of a log directory is. The topic of a deleted or stray one may have been cut.
func ParseFolder(name string) (kafka.TopicPartition, FolderKind) {
	kind := Partition
	for _, k := range []struct {
		suffix string
		kind   FolderKind
	}{{deleteSuffix, Deleted}, {futureSuffix, Future}, {straySuffix, Stray}} {
		rest, ok := strings.CutSuffix(name, k.suffix)
		if !ok {
			continue
		}
		dot := strings.LastIndexByte(rest, '.')
		if dot < 0 || !isHex(rest[dot+1:]) {
			continue
		}
		name, kind = rest[:dot], k.kind
	}
	dash := strings.LastIndexByte(name, '-')
	if dash < 1 || dash+1 == len(name) || name[dash+1] < '0' || name[dash+1] > '9' {
		return kafka.TopicPartition{}, Other
	}
	n, err := strconv.ParseInt(name[dash+1:], 10, 32)
	if err != nil || kafka.CheckTopicName(name[:dash]) != nil {
		return kafka.TopicPartition{}, Other
	}
	return kafka.TopicPartition{Topic: name[:dash], Partition: int32(n)}, kind
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 32
}

// IsLog reports whether a folder that has no partition.metadata is a log's all the same: it is empty, or holds what logs have. One with a folder or a
// meta.properties in it is somebody else's, whatever its name: another node's directory can be called as a partition is.
func IsLog(f vfs.FS, dir string) (bool, error) {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return false, err
	}
	has := len(entries) == 0
	for _, e := range entries {
		if e.Dir || e.Name == checkpoint.MetaFile {
			return false, nil
		}
		_, data := segment.ParseFileName(strings.TrimSuffix(e.Name, segment.DeletedSuffix), segment.LogSuffix)
		has = has || data && e.Regular() || e.Name == checkpoint.LeaderEpochs || e.Name == checkpoint.PartitionMarker+".tmp" || e.Name == damageFile || e.Name == truncationFile
	}
	return has, nil
}
