package command

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// World is all that a command sees and touches outside of the process, network and files apart.
type World struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	// InTTY, OutTTY and ErrTTY tell whether a person sits at that end.
	InTTY, OutTTY, ErrTTY bool
	// Width is the number of columns of the terminal at Out, 0 when it is none or not known.
	Width int
	// Size asks the terminal at Out for its columns and rows, which may change; nil when it is none.
	Size func() (columns, rows int)
	// Keyboard has the terminal at In give up every key at once, in chunks as they were typed, until restore is called; nil when it is none.
	Keyboard func() (keys <-chan []byte, restore func(), err error)

	// Dir is the working directory, ConfigDir and CacheDir the user's folders; "" for one that there is none of.
	Dir, ConfigDir, CacheDir string

	// Getenv reads an environment variable; "" stands for unset.
	Getenv func(string) string
	// Now is the wall clock.
	Now func() time.Time
	// Interruptible returns a context that ends when the user presses Ctrl-C or the process is asked to stop.
	Interruptible func(context.Context) (context.Context, context.CancelFunc)
	// Unread returns when nobody reads Out any more; nil where that can't be seen.
	Unread func()
	// Proof is given every JSON object that a command prints and the command's schema, for tests to compare. It may be nil.
	Proof func(schema, document []byte) error
}

// Stdio returns the world of an ordinary process.
//
// It also makes the process ignore SIGPIPE, so that a reader which went away is seen as an error of the write, and ends the command
// in silence with exit code 0.
func Stdio() *World {
	signal.Ignore(syscall.SIGPIPE)
	w := &World{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Getenv: os.Getenv,
		Now:    time.Now,
		Interruptible: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		},
	}
	// What is not there is not used.
	w.Dir, _ = os.Getwd()
	w.ConfigDir, _ = os.UserConfigDir()
	w.CacheDir, _ = os.UserCacheDir()
	if w.OutTTY {
		w.Width = width()
		w.Size = size
	} else {
		w.Unread = unread
	}
	if w.InTTY {
		w.Keyboard = keyboard
	}
	return w
}

// width prefers the size that the terminal reports and takes COLUMNS where it reports none.
func width() int {
	if n, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && n > 0 {
		return n
	}
	n, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// unread waits on the pipe or socket at standard output, if it is one, which tells of the end of its reader without being asked for
// anything. The wait can't be interrupted: it is left behind when the command ends.
func unread() {
	fds := []unix.PollFd{{Fd: int32(os.Stdout.Fd())}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return
		}
	}
}

func size() (columns, rows int) {
	columns, rows, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return width(), 0
	}
	return columns, rows
}

func keyboard() (<-chan []byte, func(), error) {
	in := int(os.Stdin.Fd())
	before, err := term.MakeRaw(in)
	if err != nil {
		return nil, nil, err
	}
	keys := make(chan []byte)
	go func() { // a read of the terminal can't be interrupted: this one is left behind when the command ends
		buf := make([]byte, 64)
		for {
			n, err := os.Stdin.Read(buf)
			if err != nil {
				return
			}
			keys <- append([]byte(nil), buf[:n]...)
		}
	}()
	return keys, func() { _ = term.Restore(in, before) }, nil
}
