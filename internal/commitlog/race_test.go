package commitlog

import (
	"errors"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// TestConcurrentUse has one writer, which also removes old segments, one flusher, and readers that check every byte they get.
func TestConcurrentUse(t *testing.T) {
	c := small()
	c.RetentionBytes, c.DeleteDelay, c.IndexInterval = 5000, 0, 100
	o := options(c)
	o.Cache = segment.NewCache(2, 100)                                                    // so that files and indexes come and go
	l := New(vfs.OS{}, t.TempDir(), o.Cache, kafka.TopicPartition{Topic: "t"}, &o.Config) // so that the folder comes under their eyes
	stop := make(chan struct{})
	var wg sync.WaitGroup
	background := func(f func() error) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	background(func() error {
		if _, err := l.Flush(); err != nil {
			return err
		}
		_, err := l.Reap(testStart)
		return err
	})
	for range 3 {
		var from kafka.Offset
		background(func() error {
			next, err := readOnce(l, from)
			if errors.Is(err, kerr.OffsetOutOfRange) {
				next, err = l.LogStartOffset(), nil
			}
			from = next
			return err
		})
	}
	background(func() error {
		_, _, err := l.OffsetForTimestamp(testStart.UnixMilli() + int64(l.LogStartOffset()) + 20)
		return err
	})
	for range 400 {
		b := batchOf(t, l.LogEndOffset(), 2, 0, testStart.UnixMilli()+int64(l.LogEndOffset()))
		_, err := l.Append(b, testStart)
		must(t, err)
		_, err = l.Retain(testStart, l.LogEndOffset())
		must(t, err)
	}
	close(stop)
	wg.Wait()
	must(t, l.Close(testStart))
}

// readOnce reads at most 500 bytes and returns the offset after the batches that were whole.
func readOnce(l *Log, from kafka.Offset) (kafka.Offset, error) {
	upTo := l.LogEndOffset()
	s, err := l.Read(from, 500, upTo, true)
	if err != nil {
		return from, err
	}
	defer s.Release()
	b := make([]byte, s.Len())
	if n, err := s.ReadAt(b, 0); n != len(b) {
		return from, err
	}
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if errors.Is(err, record.ErrShort) {
			break
		}
		if err == nil {
			err = batch.CheckCRC()
		}
		if err == nil && (batch.BaseOffset() > from || batch.LastOffset() < from) {
			err = errors.New("not the batch that was asked for: " + batch.String())
		}
		if err == nil && batch.NextOffset() > upTo {
			err = errors.New("past the bound: " + batch.String())
		}
		if err != nil {
			return from, err
		}
		from, b = batch.NextOffset(), rest
	}
	return from, nil
}
