package metalog

import (
	"fmt"
	"io/fs"
	"path"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Load returns what the folder dir of __cluster_metadata-0 leads to: its newest snapshot, and the log after it up to the first batch that
// is torn. It changes nothing, and the folder's owner may be running. What is at the end of the log need not be committed where others
// vote. Errors wrap fs.ErrNotExist where there is neither a snapshot nor a log, and ErrDamaged.
func Load(f vfs.FS, dir string) (*metadata.Image, error) {
	image, _, err := loadFolder(f, dir)
	return image, err
}

// Export writes what Load gives as a snapshot into the folder to, under the name that Kafka would give it, which it returns. now is in
// milliseconds.
func Export(f vfs.FS, dir, to string, now int64) (string, error) {
	image, members, err := loadFolder(f, dir)
	if err != nil {
		return "", err
	}
	id := SnapshotID{EndOffset: image.End(), Epoch: image.Epoch}
	if id.EndOffset == 0 {
		return "", fmt.Errorf("%s has no record yet: %w", dir, fs.ErrNotExist)
	}
	return id.String(), WriteSnapshot(f, to, id, image.Timestamp, now, members, image.Records)
}

func loadFolder(f vfs.FS, dir string) (*metadata.Image, Voters, error) {
	ids, err := ListSnapshots(f, dir)
	if err != nil {
		return nil, Voters{}, err
	}
	_, members, err := ReadBootstrap(f, dir)
	if err != nil {
		return nil, Voters{}, err
	}
	segments := logFiles(f, dir)
	image := metadata.Empty()
	if n := len(ids); n > 0 && ids[n-1] != BootstrapID {
		if image, members, err = LoadSnapshot(f, dir, ids[n-1]); err != nil {
			return nil, Voters{}, err
		}
	} else if len(segments) == 0 {
		return nil, Voters{}, fmt.Errorf("%s has neither a snapshot nor a segment of the metadata log: %w", dir, fs.ErrNotExist)
	}
	follow := &follower{loader: metadata.NewLoader(image), members: members, next: image.End()}
	for _, base := range segments {
		eachBatchOf(f, path.Join(dir, segment.FileName(base, segment.LogSuffix)), image.End(), follow.batch)
	}
	if follow.err != nil {
		return nil, Voters{}, fmt.Errorf("%s: %w", dir, follow.err)
	}
	return follow.loader.Image(), follow.members, nil
}

// follower takes in the batches of a log that must be whole from next on.
type follower struct {
	loader  *metadata.Loader
	members Voters
	next    kafka.Offset
	err     error
}

func (l *follower) batch(b record.Batch) {
	if l.err != nil {
		return
	}
	if b.BaseOffset() != l.next {
		l.err = fmt.Errorf("%w: the log goes on at offset %d where %d is wanted", ErrDamaged, b.BaseOffset(), l.next)
		return
	}
	l.next = b.LastOffset() + 1
	d, err := Decode(b)
	if err == nil {
		l.members.Note(d)
		_, err = l.loader.Replay(d.Batch)
	}
	l.err = err
}
