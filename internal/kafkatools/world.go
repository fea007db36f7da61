package kafkatools

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// World is all that a tool sees and touches outside of the process, network and files apart.
type World struct {
	In io.Reader
	// Out is buffered: what must be seen before the tool ends is followed by Flush.
	Out *bufio.Writer
	Err io.Writer

	// Getenv reads an environment variable; "" stands for unset.
	Getenv func(string) string
	// Now is the wall clock.
	Now func() time.Time
	// Interruptible returns a context that ends when the user presses Ctrl-C or the process is asked to stop.
	Interruptible func(context.Context) (context.Context, context.CancelFunc)

	// Compat is the release of Apache Kafka whose tools are followed.
	Compat Release

	errs sync.Mutex // a leaf; keeps lines of Err whole
}

// Stdio returns the world of an ordinary process whose environment getenv reads. A reader of stdout that went away is an error of Out, not a signal.
func Stdio(getenv func(string) string) *World {
	signal.Ignore(syscall.SIGPIPE)
	return &World{
		In: os.Stdin, Out: bufio.NewWriter(os.Stdout), Err: os.Stderr,
		Getenv: getenv,
		Now:    time.Now,
		Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		},
		Compat: Claimed,
	}
}

// printf writes to stdout. The first failure stays with Out and ends nothing: that is how a JVM's System.out behaves.
func (w *World) printf(format string, args ...any) { fmt.Fprintf(w.Out, format, args...) }

// println writes words with a blank between them, and a newline, to stdout.
func (w *World) println(words ...any) { fmt.Fprintln(w.Out, words...) }

// flush shows what was written to stdout. A reader that went away is nobody's error: the tool ends as if all had been read.
func (w *World) flush() { _ = w.Out.Flush() }

// errorln writes a line to stderr, behind what was written to stdout.
func (w *World) errorln(words ...any) {
	w.flush()
	w.warn(words...)
}

// warn is errorln for goroutines other than the tool's, which have nothing to do with stdout.
func (w *World) warn(words ...any) {
	w.errs.Lock()
	defer w.errs.Unlock()
	fmt.Fprintln(w.Err, words...)
}

// usage ends a tool whose command line is wrong, in the way of Apache's tools: the message and the help on stderr.
func (w *World) usage(p *jopt.Parser, message string) int {
	w.errorln(message)
	fmt.Fprint(w.Err, p.Help())
	return 1
}

// lastWords bounds what is done after an interruption, whose exit code is interrupted.
const (
	lastWords   = 10 * time.Second
	interrupted = 130
)
