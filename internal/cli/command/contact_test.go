package command

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A contact forgets that a server was gone when one answers, and never takes the client's own end for a failure.
func TestContact(t *testing.T) {
	refused := errors.New("connection refused")
	c := &Contact{}
	f := func(step string, want error) {
		t.Helper()
		if got := c.Down(); !errors.Is(got, want) {
			t.Errorf("%s: down by %v, want %v", step, got, want)
		}
	}
	f("at first", nil)
	c.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, refused)
	f("refused", refused)
	c.OnBrokerE2E(kgo.BrokerMetadata{}, 0, kgo.BrokerE2E{BytesWritten: 7})
	f("written, with no answer", refused)
	c.OnBrokerE2E(kgo.BrokerMetadata{}, 3, kgo.BrokerE2E{BytesRead: 7})
	f("answered", nil)
	c.OnBrokerE2E(kgo.BrokerMetadata{}, 1, kgo.BrokerE2E{ReadErr: io.EOF})
	f("cut off", errClosed)
	c.OnBrokerE2E(kgo.BrokerMetadata{}, 3, kgo.BrokerE2E{BytesRead: 7})
	for _, own := range []error{context.Canceled, kgo.ErrClientClosed} {
		c.OnBrokerE2E(kgo.BrokerMetadata{}, 1, kgo.BrokerE2E{ReadErr: own})
		f("the client's own doing", nil)
	}

	if c.Level() != kgo.LogLevelNone {
		t.Error("the client logs for nobody")
	}
	c.Listen(true)
	c.Log(kgo.LogLevelDebug, "produced", "broker", "0", "to", "orders[0{retrying@-1,1(KAFKA_STORAGE_ERROR: a disk)}, ]")
	c.Log(kgo.LogLevelInfo, "aborting", "err", errors.New("producer id needs reloading"))
	if c.Level() != kgo.LogLevelDebug || !errors.Is(c.Last(), kerr.KafkaStorageError) {
		t.Errorf("the last trouble is %v", c.Last())
	}
	c.Listen(false)
	if c.Last() != nil {
		t.Errorf("%v is remembered", c.Last())
	}
}

// A person is told once that a server is gone, when that has lasted, and once that it is back.
func TestVigil(t *testing.T) {
	var said bytes.Buffer
	now := time.Unix(1769860800, 0)
	a := NewApp(&World{Err: &said, Now: func() time.Time { return now }})
	s := &Server{Contact: &Contact{}, Where: "a:9092"}
	v := a.Vigil(s)
	look := func(passed time.Duration, want string) {
		t.Helper()
		now = now.Add(passed)
		said.Reset()
		v.Look()
		if got := strings.TrimSpace(said.String()); got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
	look(0, "")
	s.Contact.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, errors.New("connection refused"))
	look(time.Minute, "")
	look(time.Second, "")
	look(time.Second, "no answer from a:9092, trying again: connection refused")
	look(time.Minute, "")
	s.Contact.OnBrokerE2E(kgo.BrokerMetadata{}, 3, kgo.BrokerE2E{BytesRead: 7})
	look(time.Second, "a:9092 answers again")
	look(time.Second, "")
}
