package row

import (
	"context"
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/test/bench/judge"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/stage"
)

// headerCheck is Ottla's own: a topic whose compressed batches are believed by their headers.
var headerCheck = map[string]string{"ottla.compressed.check": "header"}

func compressedRows() []*stage.Workload {
	var all []*stage.Workload
	for name, codec := range map[string]compress.Codec{"lz4": compress.LZ4, "zstd": compress.Zstd, "snappy": compress.Snappy} {
		all = append(all,
			&stage.Workload{Key: "24/" + name, Path: "produce " + name, Bulk: true, Floors: []string{judge.Null}, Run: replayCompressed(codec, nil)},
			&stage.Workload{Key: "24/" + name + ", header check", Path: "produce " + name, Bulk: true, Ready: knowsHeaderCheck, Run: replayCompressed(codec, headerCheck)})
	}
	return all
}

// knowsHeaderCheck asks our side; the peer checks as always.
func knowsHeaderCheck(_ context.Context, s *stage.Stand) error {
	if s.Role != judge.Ours {
		return nil
	}
	_, err := s.Fresh(1, headerCheck)
	if err != nil {
		s.Forget()
		return errors.Join(fmt.Errorf("%w: %s does not know ottla.compressed.check", stage.ErrNotHere, s.Program.Version), err)
	}
	return nil
}

// replayCompressed sends batches that were compressed before; bytes are those before compression.
func replayCompressed(codec compress.Codec, ours map[string]string) func(context.Context, *stage.Stand) error {
	return func(ctx context.Context, s *stage.Stand) error {
		batch, err := load.NewBatch(256<<10, 1000, codec)
		if err != nil {
			return err
		}
		configs := ours
		if s.Role != judge.Ours {
			configs = nil
		}
		return produced(s, partitions, configs, func(topic string) (load.Done, error) {
			return load.Replay(ctx, s.Side.Address, load.Traffic{Topic: topic, Partitions: partitions, Conns: conns, Depth: depth, Batch: batch}, s.Limit(1))
		})
	}
}
