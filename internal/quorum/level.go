package quorum

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// ErrUnsupported says that the folder is of a release that this one can't take over from.
var ErrUnsupported = errors.New("unsupported metadata.version")

// CheckLevel reads which metadata.version the folder dir of __cluster_metadata-0 is at, changes nothing in it, and
// refuses a level that this release does not know. What can't be read is left for Open to tell. Errors wrap
// ErrUnsupported.
func CheckLevel(f vfs.FS, dir string) error {
	ids, _ := listSnapshots(f, dir) // a folder that is not there has none
	var found levelScan
	found.file(f, path.Join(path.Dir(dir), oldBootstrap), 0)
	var newest SnapshotID
	for i, id := range ids {
		if id == bootstrapID || i == len(ids)-1 { // what is said later counts
			found.file(f, path.Join(dir, id.String()), 0)
			newest = id
		}
	}
	for _, base := range logFiles(f, dir) {
		found.file(f, path.Join(dir, segment.FileName(base, segment.LogSuffix)), newest.EndOffset)
	}
	switch level := found.level; {
	case !found.any:
	case level > metadata.LatestMetadataVersion:
		return fmt.Errorf("%w: %s is at level %d, and this release knows none above %d: start a newer release on it", ErrUnsupported,
			dir, level, metadata.LatestMetadataVersion)
	case level < metadata.MinMetadataVersion:
		return fmt.Errorf("%w: %s is at level %d, and this release knows none below %d (3.3-IV3): raise it with Apache Kafka 3.9 first"+
			" (kafka-features.sh upgrade --release-version 3.9)", ErrUnsupported, dir, level, metadata.MinMetadataVersion)
	}
	return nil
}

// logFiles lists the base offsets of a log's segments, in order.
func logFiles(f vfs.FS, dir string) []kafka.Offset {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return nil
	}
	var bases []kafka.Offset
	for _, e := range entries {
		if base, ok := segment.ParseFileName(e.Name, segment.LogSuffix); ok && !e.Dir {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases
}

// levelScan looks for the last level of metadata.version. It decodes nothing else: records of a newer release may have
// forms that this one can't read.
type levelScan struct {
	level metadata.Level
	any   bool
}

// file scans the batches of a file that begin at or above from, up to the first that can't be read.
func (s *levelScan) file(f vfs.FS, name string, from kafka.Offset) {
	file, err := f.Open(name)
	if err != nil {
		return
	}
	defer file.Close()
	window := make([]byte, 1<<20)
	for at := int64(0); ; {
		n, _ := file.ReadAt(window, at) // an error leaves nothing to scan
		scanned := s.scan(window[:n], from)
		if at += int64(scanned); scanned > 0 {
			continue
		}
		if n < len(window) || len(window) >= maxBatch {
			return
		}
		window = make([]byte, 2*len(window)) // for a batch that is larger
	}
}

// scan looks at the whole batches that b starts with and returns how many bytes they are.
func (s *levelScan) scan(b []byte, from kafka.Offset) int {
	left := b
	for len(left) > 0 {
		batch, rest, err := record.Next(left)
		if err != nil || batch.CheckCRC() != nil {
			break
		}
		if left = rest; !batch.IsControl() && batch.BaseOffset() >= from {
			s.batch(batch)
		}
	}
	return len(b) - len(left)
}

// featureLevelKey is where a metadata record says that it is a FeatureLevelRecord, after the version of its frame.
var featureLevelKey = byte((*schema.FeatureLevelRecord)(nil).APIKey())

func (s *levelScan) batch(b record.Batch) {
	var w record.Walker
	defer w.Close()
	w.Reset(b, maxBatch)
	for w.Next() {
		v := w.Record.Value
		if len(v) < 2 || v[1] != featureLevelKey {
			continue
		}
		body, _, err := schema.ParseMetadata(v)
		if r, ok := body.(*schema.FeatureLevelRecord); err == nil && ok && r.Name == metadata.MetadataVersionFeature {
			s.level, s.any = metadata.Level(r.FeatureLevel), true
		}
	}
}
