package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ottla/ottla/internal/record"
)

// Reading is what a raw fetcher reads: a topic from its beginning, as often as the limit allows.
type Reading struct {
	Topic      string
	Partitions int
	Conns      int
	MaxBytes   int32 // of one answer
	Once       bool  // end at the end of the log
}

// Fetch reads as fast as the answers come. It looks at the headers of batches alone.
func Fetch(ctx context.Context, address string, r Reading, l Limit) (Done, error) {
	var bytes, requests atomic.Int64
	began := time.Now()
	more := func() bool {
		return (l.Bytes == 0 || bytes.Load() < l.Bytes) && (l.Time == 0 || time.Since(began) < l.Time) && ctx.Err() == nil
	}
	errs := make([]error, r.Conns)
	var all sync.WaitGroup
	for i := range r.Conns {
		all.Go(func() {
			errs[i] = r.one(address, i, more, func(n int) {
				bytes.Add(int64(n))
				requests.Add(1)
			})
		})
	}
	all.Wait()
	return Done{Requests: requests.Load(), Bytes: bytes.Load(), Took: time.Since(began)}, errors.Join(append(errs, ctx.Err())...)
}

// one reads the share of connection i, partition by partition.
func (r Reading) one(address string, i int, more func() bool, got func(int)) error {
	c, err := Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	fetchers, err := r.share(c, i)
	if err != nil {
		return err
	}
	for turn := 0; len(fetchers) > 0 && more(); turn++ {
		f := fetchers[turn%len(fetchers)]
		n, err := c.advance(f)
		if err != nil {
			return err
		}
		got(n)
		switch {
		case n == 0:
			return fmt.Errorf("%s: nothing at offset %d, before its end at %d", r.Topic, f.position(), f.end)
		case f.position() < f.end:
		case r.Once:
			fetchers[turn%len(fetchers)] = fetchers[0]
			fetchers = fetchers[1:]
		default:
			f.seek(0)
		}
	}
	return nil
}

// share are the partitions of connection i. Their ends are asked for once: a fetch at the end would only wait.
func (r Reading) share(c *Conn, i int) ([]*fetcher, error) {
	var fetchers []*fetcher
	for p := int32(i); p < int32(r.Partitions); p += int32(r.Conns) {
		f, err := newFetcher(c, r.Topic, p, r.MaxBytes)
		if err != nil {
			return nil, err
		}
		if f.end, err = c.EndOffset(r.Topic, p); err != nil {
			return nil, err
		}
		f.seek(0)
		fetchers = append(fetchers, f)
	}
	return fetchers, nil
}

// advance fetches once and moves the fetcher behind the whole batches that came; it returns their bytes.
func (c *Conn) advance(f *fetcher) (int, error) {
	if err := c.Write(f.frame); err != nil {
		return 0, err
	}
	body, err := c.Answer()
	if err != nil {
		return 0, err
	}
	rest, err := fetched(body)
	if err != nil {
		return 0, err
	}
	n, next := whole(rest)
	if n > 0 {
		f.seek(next)
	}
	return n, nil
}

// whole returns how many bytes of whole batches there are, and the offset behind them. The last batch of an answer may be
// cut short.
func whole(records []byte) (n int, next int64) {
	for rest := records; len(rest) > record.HeaderSize; {
		b := record.Batch(rest)
		if b.Size() > len(rest) {
			break
		}
		n, next, rest = n+b.Size(), int64(b.NextOffset()), rest[b.Size():]
	}
	return n, next
}

// Tail follows the end of one partition.
type Tail struct {
	*Conn
	f *fetcher
}

// OpenTail connects and finds the end.
func OpenTail(address, topic string, partition int32) (*Tail, error) {
	c, err := Dial(address)
	if err != nil {
		return nil, err
	}
	end, err := c.EndOffset(topic, partition)
	if err != nil {
		c.Close()
		return nil, err
	}
	f, err := newFetcher(c, topic, partition, 1<<20)
	if err != nil {
		c.Close()
		return nil, err
	}
	f.seek(end)
	return &Tail{c, f}, nil
}

// Next waits for records and returns whole batches; they are good until the next call.
func (t *Tail) Next() ([]byte, error) {
	for {
		if err := t.Write(t.f.frame); err != nil {
			return nil, err
		}
		body, err := t.Answer()
		if err != nil {
			return nil, err
		}
		records, err := fetched(body)
		if err != nil {
			return nil, err
		}
		if n, next := whole(records); n > 0 {
			t.f.seek(next)
			return records[:n], nil
		}
	}
}
