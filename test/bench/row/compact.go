package row

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/test/bench/load"
	"github.com/ottla/ottla/test/bench/machine"
	"github.com/ottla/ottla/test/bench/stage"
)

// The log that is compacted.
const (
	compactRecords = 3_200_000
	compactKeys    = 1_000_000
	compactValue   = 190 // bytes
	compactBatch   = 500 // records
)

func compactRows() []*stage.Workload {
	return []*stage.Workload{{Key: "18/compaction", Path: "compaction", Pinned: true, Properties: map[string]string{"log.cleaner.backoff.ms": "100"}, Run: compaction}}
}

// compaction takes the CPU time from when a log may be cleaned to when the checkpoint of cleaning says that it was.
func compaction(_ context.Context, s *stage.Stand) error {
	// As long as nothing is written the policy may change; small segments leave little that can't be cleaned.
	topic, err := s.Fresh(1, map[string]string{"segment.bytes": strconv.Itoa(8 << 20)})
	if err != nil {
		return err
	}
	if err := writeKeys(s.Side.Address, topic); err != nil {
		return err
	}
	end, dirty, err := cleanable(filepath.Join(s.Side.Dir, topic+"-0"))
	if err != nil {
		return err
	}
	before, err := machine.ResidentAbout(s.Side.PID())
	if err != nil {
		return err
	}
	most := before
	w, err := s.Measure(func() (load.Done, error) {
		if err := load.Configure(s.Side.Address, kmsg.ConfigResourceTypeTopic, topic, map[string]string{"cleanup.policy": "compact"}); err != nil {
			return load.Done{}, err
		}
		most, err = awaitCleaned(s, topic, end)
		return load.Done{Records: end}, err
	})
	if err != nil {
		return err
	}
	s.Set("M records/CPU-s", float64(end)/1e6/w.Server.Seconds())
	s.Set("MiB/CPU-s", float64(dirty)/(1<<20)/w.Server.Seconds())
	s.Set("MiB extra", max(0, float64(most-before)/(1<<20)))
	s.Set("s", w.Took.Seconds())
	return nil
}

// awaitCleaned watches the checkpoint, and the memory meanwhile.
func awaitCleaned(s *stage.Stand, topic string, end int64) (most int64, err error) {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); machine.Nap(20 * time.Millisecond) {
		if cleaned, err := checkpointed(s.Side.Dir, topic); err != nil || cleaned >= end {
			return most, err
		}
		now, err := machine.ResidentAbout(s.Side.PID())
		if err != nil {
			return most, err
		}
		most = max(most, now)
	}
	return most, fmt.Errorf("%s is not cleaned", topic)
}

// writeKeys writes the log: random keys, values that compress about as text does.
func writeKeys(address, topic string) error {
	c, err := load.Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	var b record.Builder
	value := []byte(strings.Repeat(`{"field":0123456789abcdef, }`, compactValue/28+1))[:compactValue]
	for n := 0; n < compactRecords; n += compactBatch {
		o := record.NewOptions(0, -1)
		o.Codec = compress.LZ4
		b.Begin(o)
		for range compactBatch {
			copy(value[9:], fmt.Sprintf("%016x", rng.Uint64()))
			b.Add(time.Now().UnixMilli(), fmt.Appendf(nil, "key-%08d", rng.IntN(compactKeys)), value)
		}
		records, err := b.AppendTo(nil)
		if err != nil {
			return err
		}
		if err := c.Write(c.Frame(load.ProduceRequest(topic, 0, records))); err != nil {
			return err
		}
		body, err := c.Answer()
		if err == nil {
			err = load.Produced(body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanable returns where the last segment of a log begins, and the bytes of those before it.
func cleanable(folder string) (end, bytes int64, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil || len(names) < 2 {
		return 0, 0, fmt.Errorf("%s: %d segments: %w", folder, len(names), err)
	}
	for _, name := range names[:len(names)-1] {
		info, err := os.Stat(name)
		if err != nil {
			return 0, 0, err
		}
		bytes += info.Size()
	}
	end, err = strconv.ParseInt(strings.TrimSuffix(filepath.Base(names[len(names)-1]), ".log"), 10, 64)
	return end, bytes, err
}

// checkpointed returns up to where a log is clean.
func checkpointed(logs, topic string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(logs, "cleaner-offset-checkpoint"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, topic+" 0 "); ok {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, err
}
