package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Contact is what a client sees of its servers while it goes on trying: whether one answers, and what failed last. It hooks into the
// client, and reads its log: an answer that is worth another try shows up nowhere else. It is safe for concurrent use.
type Contact struct {
	down, last atomic.Pointer[trouble]
	listening  atomic.Bool
}

// trouble is an error that can be kept by an atomic pointer.
type trouble struct{ err error }

// Down is why no server answers: what failed since the last answer, nil when nothing has.
func (c *Contact) Down() error { return c.down.Load().cause() }

// Last is what failed last, a refusal that is worth another try among it; nil when nothing has since the contact does not listen.
func (c *Contact) Last() error { return c.last.Load().cause() }

func (t *trouble) cause() error {
	if t == nil {
		return nil
	}
	return t.err
}

// Listen has the contact read the client's log, or forget what it has read. The log costs something: it is for who waits.
func (c *Contact) Listen(on bool) {
	c.listening.Store(on)
	if !on {
		c.last.Store(nil)
	}
}

// OnBrokerConnect sees an attempt to connect.
func (c *Contact) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil {
		c.failed(err)
	}
}

// OnBrokerE2E sees a question and its answer.
func (c *Contact) OnBrokerE2E(_ kgo.BrokerMetadata, _ int16, e kgo.BrokerE2E) {
	switch err := e.Err(); {
	case err != nil:
		c.failed(err)
	case e.BytesRead > 0:
		c.down.Store(nil)
	}
}

// errClosed is an end of input in the words of a person.
var errClosed = errors.New("the server closed the connection")

// failed notes what is not the client's own doing.
func (c *Contact) failed(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	if errors.Is(err, io.EOF) {
		err = errClosed
	}
	c.down.Store(&trouble{err})
	c.last.Store(&trouble{err})
}

// Level is how much the client is to log.
func (c *Contact) Level() kgo.LogLevel {
	if c.listening.Load() {
		return kgo.LogLevelDebug
	}
	return kgo.LogLevelNone
}

// retried is how the client logs that a partition refused a batch.
var retried = regexp.MustCompile(`retrying@-?\d+,\d+\(([A-Z_]+):`)

// Log takes what a server refused out of what the client says to itself; what breaks on the way is seen by the hooks.
func (c *Contact) Log(_ kgo.LogLevel, _ string, pairs ...any) {
	for i := 1; i < len(pairs); i += 2 {
		switch v := pairs[i].(type) {
		case error:
			var k *kerr.Error
			if errors.As(v, &k) {
				c.last.Store(&trouble{v})
			}
		case string:
			if found := retried.FindStringSubmatch(v); found != nil {
				if k := named(found[1]); k != nil {
					c.last.Store(&trouble{k})
				}
			}
		}
	}
}

// named finds an error of Kafka by its name, nil for none.
func named(name string) error {
	const behind = 256 // the codes that there are
	for code := range int16(behind) {
		if k := kerr.TypedErrorForCode(code); k != nil && k.Message == name {
			return k
		}
	}
	return nil
}

// QuietFor is how long nothing comes from a server before a person is told.
const QuietFor = 2 * time.Second

// Silence says that a server does not do what it is asked, and why as far as that is known.
func (s *Server) Silence(why error) string {
	var k *kerr.Error
	switch {
	case why == nil:
		return fmt.Sprintf("no answer from %s, trying again", s.Where)
	case errors.As(why, &k):
		return fmt.Sprintf("%s refuses, trying again: %s", s.Where, message(why))
	}
	return fmt.Sprintf("no answer from %s, trying again: %s", s.Where, message(why))
}

// Vigil tells a person once that no server answers any more, and once that one does again. One goroutine looks, every second or so.
type Vigil struct {
	app    *App
	server *Server
	since  time.Time // of the trouble; zero: there is none
	told   bool
}

// Vigil begins to watch a server.
func (a *App) Vigil(s *Server) *Vigil { return &Vigil{app: a, server: s} }

// Gone is since when no server answers, and why; ok when that has lasted for [QuietFor], and so is more than a hiccup.
func (v *Vigil) Gone() (since time.Time, why error, ok bool) { // the error is what is asked for
	why = v.server.Contact.Down()
	now := v.app.World.Now()
	switch {
	case why == nil:
		v.since = time.Time{}
	case v.since.IsZero():
		v.since = now
	}
	return v.since, why, why != nil && now.Sub(v.since) >= QuietFor
}

// Look says on standard error what has changed since the last look.
func (v *Vigil) Look() {
	_, why, gone := v.Gone()
	switch {
	case gone && !v.told:
		v.app.Notice("%s", v.server.Silence(why))
	case why == nil && v.told:
		v.app.Notice("%s answers again", v.server.Where)
	default:
		return
	}
	v.told = gone
}
