package metalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/vfs"
)

// WriteBootstrap writes what format leaves into dir, the folder of __cluster_metadata-0, which it makes: the records of the first leader, and the
// members of a dynamic quorum (kraft.version 1), if they are known. The members of a static one are those of controller.quorum.voters. now is in
// milliseconds.
func WriteBootstrap(f vfs.FS, dir string, members Voters, records []schema.MetadataRecord, now int64) error {
	if err := vfs.MkdirAll(f, dir); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	return WriteSnapshot(f, dir, BootstrapID, now, now, members, func(yield func(metadata.Record) bool) {
		for _, r := range records {
			if !yield(metadata.Record{Body: r}) {
				return
			}
		}
	})
}

// oldBootstrap is where Kafka before 4.1 kept the bootstrap records, in the folder above.
const oldBootstrap = "bootstrap.checkpoint"

// ReadBootstrap returns what format left: the records of the first leader, and the members of a dynamic quorum.
// A folder with neither gives nil.
func ReadBootstrap(f vfs.FS, dir string) ([]schema.MetadataRecord, Voters, error) {
	var records []schema.MetadataRecord
	var members Voters
	collect := func(d *Batch) error {
		members.Note(d)
		records = append(records, d.Records...)
		return nil
	}
	err := readSnapshot(f, dir, BootstrapID, "", collect)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return records, members, err
	}
	old, err := vfs.ReadFile(f, path.Join(path.Dir(dir), oldBootstrap))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Voters{}, nil
	}
	if err != nil {
		return nil, Voters{}, err
	}
	err = visitBatches(old, collect)
	return records, members, err
}
