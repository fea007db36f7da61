package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/compress"
	"github.com/ottla/ottla/internal/record"
)

// The log that is compacted.
const (
	compactRecords = 3_200_000
	compactKeys    = 1_000_000
	compactValue   = 190 // bytes
	compactBatch   = 500 // records
)

// compact has the node clean a log for the first time, and takes its CPU time from when it may to when its checkpoint says that it has. The second
// of two logs counts: the first one warms up what gets faster by use.
func compact(b *bench) (string, error) {
	if err := b.running(); err != nil {
		return "", err
	}
	if b.logs == "" {
		b.logs = filepath.Join(b.dir, "main", "data")
		if _, err := os.Stat(b.logs); err != nil {
			b.logs = filepath.Join(b.dir, "main")
		}
	}
	c, err := dial(b.node.address)
	if err != nil {
		return "", err
	}
	defer c.nc.Close()
	if err := c.setConfig(kmsg.ConfigResourceTypeBroker, "", map[string]string{"log.cleaner.backoff.ms": "100"}); err != nil {
		return "", err
	}
	var first, second string
	if first, err = compactOnce(b, c, fmt.Sprintf("compact-%d-1", os.Getpid())); err == nil {
		second, err = compactOnce(b, c, fmt.Sprintf("compact-%d-2", os.Getpid()))
	}
	return second + "; the one before: " + first, err
}

func compactOnce(b *bench, c *conn, topic string) (string, error) {
	if err := c.createTopic([]string{topic}, 1); err != nil {
		return "", err
	}
	if err := awaitLeaders(c, topic, 1); err != nil {
		return "", err
	}
	// As long as nothing is written the policy may change; a small last segment leaves little that can't be cleaned.
	if err := c.setConfig(kmsg.ConfigResourceTypeTopic, topic, map[string]string{"segment.bytes": strconv.Itoa(8 << 20)}); err != nil {
		return "", err
	}
	if err := fillCompact(c, topic); err != nil {
		return "", err
	}
	folder := filepath.Join(b.logs, topic+"-0")
	time.Sleep(2 * time.Second) // let the flush end
	end, dirty, err := cleanable(folder)
	if err != nil {
		return "", err
	}
	memory, err := b.node.resident()
	if err != nil {
		return "", err
	}
	most := memory
	began := time.Now()
	_, cpu, err := b.measured(func() (int64, error) {
		if err := c.setConfig(kmsg.ConfigResourceTypeTopic, topic, map[string]string{"cleanup.policy": "compact"}); err != nil {
			return 0, err
		}
		for time.Since(began) < patience {
			if cleaned, err := checkpointed(b.logs, topic); err != nil || cleaned >= end {
				return end, err
			}
			now, err := b.node.resident()
			if err != nil {
				return 0, err
			}
			most = max(most, now)
			time.Sleep(5 * time.Millisecond)
		}
		return 0, errors.New("the log is not cleaned")
	})
	if err != nil {
		return "", err
	}
	took := time.Since(began)
	_, left, err := cleanable(folder)
	return fmt.Sprintf("%.2f M records and %.1f MiB of dirty input per CPU-second (%d records, %.1f MiB, %.1f MiB left; %.2f CPU-s, %.2f s), at most %.1f MiB extra",
		float64(end)/1e6/cpu.Seconds(), mib(dirty)/cpu.Seconds(), end, mib(dirty), mib(left), cpu.Seconds(), took.Seconds(), mib(most-memory)), err
}

// fillCompact writes the log: random keys, values that compress about as text does.
func fillCompact(c *conn, topic string) error {
	rng := rand.New(rand.NewPCG(1, 2))
	var b record.Builder
	value := make([]byte, compactValue)
	for n := 0; n < compactRecords; {
		o := record.NewOptions(0, -1)
		o.Codec = compress.LZ4
		b.Begin(o)
		for range compactBatch {
			for i := range value {
				value[i] = "{\"field\":0123456789abcdef, }"[i%28]
			}
			copy(value[9:], fmt.Sprintf("%016x", rng.Uint64()))
			b.Add(time.Now().UnixMilli(), fmt.Appendf(nil, "key-%08d", rng.IntN(compactKeys)), value)
			n++
		}
		records, err := b.AppendTo(nil)
		if err != nil {
			return err
		}
		if _, err := c.nc.Write(c.frame(produceRequest(topic, 0, records))); err != nil {
			return err
		}
		body, err := c.answer()
		if err == nil {
			err = checkProduced(body)
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
		return 0, 0, fmt.Errorf("%s: %d segments: is it the node's log directory? %w", folder, len(names), err)
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

// setConfig sets keys of a topic, or of all brokers.
func (c *conn) setConfig(kind kmsg.ConfigResourceType, name string, values map[string]string) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Version = 1
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kind, name
	for key, value := range values {
		set := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		set.Name, set.Value = key, &value
		r.Configs = append(r.Configs, set)
	}
	req.Resources = append(req.Resources, r)
	resp, err := c.call(req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.(*kmsg.IncrementalAlterConfigsResponse).Resources[0].ErrorCode)
}
