package contract

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"
)

// Loader is a producer with acks=all that sends nothing twice, and a consumer in a group that commits automatically, of one library, as
// it comes: no retries by hand.
type Loader interface {
	// Send does not wait; done is called when the record is acknowledged, or given up.
	Send(partition int32, value string, done func(error))
	// Poll waits for a while and gives what there is. An error is what the application would see.
	Poll() ([]Message, error)
	Close()
}

// OpenLoad connects a library's loader.
type OpenLoad func(bootstrap, topic, group string) (Loader, error)

// Loads is set by a program whose library can be under load while the servers are restarted.
var Loads OpenLoad

const (
	loadPartitions = 3
	loadPace       = 10 * time.Millisecond // between two records of a partition
	loadEnd        = 30 * time.Second      // for what is under way at the end
)

// loaded is what became of it, as the suite reads it.
type loaded struct {
	Acked     int      `json:"acked"`
	Read      int      `json:"read"`
	Again     int      `json:"again"`     // records that were read twice, as a group's new member may
	SlowestMs int64    `json:"slowestMs"` // acknowledgement
	GapMs     int64    `json:"gapMs"`     // the longest time in which nothing was read
	Errors    []string `json:"errors"`
}

type loading struct {
	sync.Mutex
	loaded
	sent [loadPartitions]int
	next [loadPartitions]int64 // offset to be read
}

func (l *loading) fault(format string, args ...any) {
	if len(l.Errors) < 10 {
		l.Errors = append(l.Errors, fmt.Sprintf(format, args...))
	}
}

// load writes and reads until standard input ends. Record n of a partition has offset n, or something was lost or is there twice.
func (s *scenario) load(bootstrap string) {
	s.step("load", func() (any, error) {
		if Loads == nil {
			return nil, Unsupported("not under load")
		}
		if err := s.c.CreateTopic(s.topic("load"), loadPartitions, s.env.replicas, keep); err != nil {
			return nil, err
		}
		l := &loading{loaded: loaded{Errors: []string{}}}
		lib, err := Loads(bootstrap, s.topic("load"), s.topic("load"))
		if err != nil {
			return nil, err
		}
		defer lib.Close()
		stop, drained, read := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			_, _ = bufio.NewReader(os.Stdin).ReadByte()
			close(stop)
		}()
		go func() {
			defer close(read)
			l.read(lib, drained)
		}()
		l.write(lib, stop)
		close(drained)
		<-read
		return l.loaded, nil
	})
}

// write sends until stop is closed, and waits until all is answered.
func (l *loading) write(lib Loader, stop <-chan struct{}) {
	var pending sync.WaitGroup
	tick := time.NewTicker(loadPace)
	defer tick.Stop()
	for going := true; going; {
		for p := range l.sent {
			l.Lock()
			n := l.sent[p]
			l.sent[p]++
			l.Unlock()
			began := time.Now()
			pending.Add(1)
			lib.Send(int32(p), fmt.Sprintf("%d:%d", p, n), func(err error) {
				defer pending.Done()
				l.acked(time.Since(began), err)
			})
		}
		select {
		case <-stop:
			going = false
		case <-tick.C:
		}
	}
	pending.Wait()
}

func (l *loading) acked(took time.Duration, err error) {
	l.Lock()
	defer l.Unlock()
	if err != nil {
		l.fault("produce: %v", err)
		return
	}
	l.Acked++
	l.SlowestMs = max(l.SlowestMs, took.Milliseconds())
}

// read polls until all that was sent is read.
func (l *loading) read(lib Loader, drained <-chan struct{}) {
	last, end := time.Time{}, time.Time{}
	for {
		got, err := lib.Poll()
		l.Lock()
		if err != nil {
			l.fault("consume: %v", err)
		}
		for _, m := range got {
			l.take(m)
		}
		if len(got) > 0 {
			if !last.IsZero() {
				l.GapMs = max(l.GapMs, time.Since(last).Milliseconds())
			}
			last = time.Now()
		}
		done := l.Read >= l.Acked
		l.Unlock()
		select {
		case <-drained:
			if end.IsZero() {
				end = time.Now().Add(loadEnd)
			}
			if done || time.Now().After(end) {
				return
			}
		default:
		}
	}
}

func (l *loading) take(m Message) {
	if want := fmt.Sprintf("%d:%d", m.Partition, m.Offset); m.Value != want {
		l.fault("read %q at %s", m.Value, want)
	}
	switch next := &l.next[m.Partition]; {
	case m.Offset < *next:
		l.Again++
		return
	case m.Offset > *next:
		l.fault("skipped %d to %d of partition %d", *next, m.Offset-1, m.Partition)
	}
	l.next[m.Partition] = m.Offset + 1
	l.Read++
}
