package metalog

import (
	"path"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Files of the folder besides those of the log and the snapshots.
const (
	// QuorumStateFile is where a voter keeps its term and vote; docs/format/quorum.md has its content.
	QuorumStateFile = "quorum-state"
	// SyncedFile says up to where the log was synced: an offset in decimal. Kafka ignores it.
	SyncedFile = "ottla.synced"
)

// eachBatch visits the batches of the newest snapshot, or of what format left, and of the log after it, up to the first that can't be
// read in each file.
func eachBatch(f vfs.FS, dir string, visit func(record.Batch)) {
	ids, _ := ListSnapshots(f, dir) // a folder that is not there has none
	var newest SnapshotID
	if len(ids) > 0 {
		newest = ids[len(ids)-1]
	}
	if newest == BootstrapID {
		eachBatchOf(f, path.Join(path.Dir(dir), oldBootstrap), 0, visit)
	}
	eachBatchOf(f, path.Join(dir, newest.String()), 0, visit)
	for _, base := range logFiles(f, dir) {
		eachBatchOf(f, path.Join(dir, segment.FileName(base, segment.LogSuffix)), newest.EndOffset, visit)
	}
}

// logFiles lists the base offsets of a log's segments, in order.
func logFiles(f vfs.FS, dir string) []kafka.Offset {
	entries, err := f.ReadDir(dir)
	if err != nil {
		return nil
	}
	var bases []kafka.Offset
	for _, e := range entries {
		if base, ok := segment.ParseFileName(e.Name, segment.LogSuffix); ok && e.Regular() {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases
}

// eachBatchOf visits the batches of a file that begin at or above from, up to the first that can't be read.
func eachBatchOf(f vfs.FS, name string, from kafka.Offset, visit func(record.Batch)) {
	file, err := f.Open(name)
	if err != nil {
		return
	}
	defer file.Close()
	window := make([]byte, 1<<20)
	for at := int64(0); ; {
		n, _ := file.ReadAt(window, at) // an error leaves nothing to visit
		visited := wholeBatches(window[:n], from, visit)
		if at += int64(visited); visited > 0 {
			continue
		}
		if n < len(window) || len(window) >= maxBatch {
			return
		}
		window = make([]byte, 2*len(window)) // for a batch that is larger
	}
}

// wholeBatches visits the whole batches that b starts with and returns how many bytes they are.
func wholeBatches(b []byte, from kafka.Offset, visit func(record.Batch)) int {
	left := b
	for len(left) > 0 {
		batch, rest, err := record.Next(left)
		if err != nil || batch.CheckCRC() != nil {
			break
		}
		if left = rest; batch.BaseOffset() >= from {
			visit(batch)
		}
	}
	return len(b) - len(left)
}
