package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Exit is an exit code of the process.
type Exit int

// The exit codes of every command.
const (
	// OK: done, or the reader of our output went away.
	OK Exit = 0
	// Failed is any failure that has no code of its own.
	Failed Exit = 1
	// Usage: the command line is wrong, or a dangerous command was not confirmed. Nothing was done.
	Usage Exit = 2
	// NotFound: the topic, the broker, the file is not there.
	NotFound Exit = 3
	// Denied: the server or the operating system does not permit it.
	Denied Exit = 4
	// Unreachable: no server answered, or not in time.
	Unreachable Exit = 5
	// Partial: some of several things were done and others not.
	Partial Exit = 6
)

// Error is a failure as a person should read it. Every field but Err may be empty.
type Error struct {
	// What was tried: `create topic "orders"`.
	What string
	// Where it was tried: an address, a file, a line.
	Where string
	// Err is what went wrong.
	Err error
	// Hint says what to do about it, as a sentence without a full stop.
	Hint string
	// Exit is the exit code; OK stands for "whatever Err suggests".
	Exit Exit
}

// Usagef returns an error of the command line, exit code [Usage].
func Usagef(format string, args ...any) *Error {
	return &Error{Err: fmt.Errorf(format, args...), Exit: Usage}
}

// Error returns the failure in one line.
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.What, e.Where} {
		if part != "" {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	b.WriteString(message(e.Err))
	if e.Hint != "" {
		b.WriteString("; hint: ")
		b.WriteString(e.Hint)
	}
	// Errors that were joined stand in lines of their own.
	return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), "\n", "; ")), " ")
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// code returns the exit code of the failure.
func (e *Error) code() Exit {
	if e.Exit != OK {
		return e.Exit
	}
	return exitFor(e.Err)
}

// message puts an error in words; for an error of the server with its name, its code and whether trying again may help.
func message(err error) string {
	var k *kerr.Error
	if !errors.As(err, &k) {
		return plain(err)
	}
	text := err.Error()
	if text == k.Error() { // kerr's own text is the name and the description
		text = k.Description
	} else {
		text = strings.TrimPrefix(strings.TrimSuffix(text, ": "+k.Error()), k.Message+": ")
	}
	text = strings.TrimSuffix(text, ".")
	again := "not retriable"
	if k.Retriable {
		again = "retriable"
	}
	return fmt.Sprintf("%s (%s, code %d, %s)", text, k.Message, k.Code, again)
}

// plain rewords the errors of the network that would tell a person little.
func plain(err error) string {
	switch {
	case err == nil:
		return "failed"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return err.Error()
}

// Answered is an error code of the server together with the message that it sent, if any.
func Answered(err error, said string) error {
	if err == nil || said == "" {
		return err
	}
	return fmt.Errorf("%s: %w", strings.TrimSuffix(said, "."), err)
}

// CodeName names an error code of the server, "" for none.
func CodeName(code int16) string {
	if err := kerr.TypedErrorForCode(code); err != nil {
		return err.Message
	}
	return ""
}

// exits maps errors of the server to exit codes; those absent are [Failed].
var exits = map[int16]Exit{
	kerr.UnknownTopicOrPartition.Code:            NotFound,
	kerr.UnknownTopicID.Code:                     NotFound,
	kerr.ResourceNotFound.Code:                   NotFound,
	kerr.GroupIDNotFound.Code:                    NotFound,
	kerr.TransactionalIDNotFound.Code:            NotFound,
	kerr.TopicAuthorizationFailed.Code:           Denied,
	kerr.GroupAuthorizationFailed.Code:           Denied,
	kerr.ClusterAuthorizationFailed.Code:         Denied,
	kerr.TransactionalIDAuthorizationFailed.Code: Denied,
	kerr.SaslAuthenticationFailed.Code:           Denied,
	kerr.SecurityDisabled.Code:                   Denied,
	kerr.PolicyViolation.Code:                    Denied,
	kerr.RequestTimedOut.Code:                    Unreachable,
	kerr.BrokerNotAvailable.Code:                 Unreachable,
	kerr.LeaderNotAvailable.Code:                 Unreachable,
	kerr.CoordinatorNotAvailable.Code:            Unreachable,
}

// ExitOf is the exit code of a command that fails with err.
func ExitOf(err error) Exit { return exitFor(err) }

func exitFor(err error) Exit {
	var (
		k  *kerr.Error
		e  *Error
		op *net.OpError
		d  *net.DNSError
	)
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e) && e.Exit != OK:
		return e.Exit
	case errors.As(err, &k):
		if x, ok := exits[k.Code]; ok {
			return x
		}
	case errors.Is(err, os.ErrNotExist):
		return NotFound
	case errors.Is(err, os.ErrPermission):
		return Denied
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, kgo.ErrRecordTimeout),
		errors.Is(err, kgo.ErrRecordRetries), errors.As(err, &op), errors.As(err, &d):
		return Unreachable
	}
	return Failed
}

// Failures is several failures of one command, of which done other parts succeeded.
type Failures struct {
	Done int
	Errs []error
}

// Add counts err as a failure.
func (f *Failures) Add(err error) { f.Errs = append(f.Errs, err) }

// Or returns nil if nothing failed.
func (f *Failures) Or() error {
	if len(f.Errs) == 0 {
		return nil
	}
	return f
}

// Error returns all failures in one line; [report] gives each its own.
func (f *Failures) Error() string { return errors.Join(f.Errs...).Error() }

// code is Partial when something succeeded, and else the code that the failures agree on.
func (f *Failures) code() Exit {
	if f.Done > 0 {
		return Partial
	}
	code := codeOf(f.Errs[0])
	for _, err := range f.Errs[1:] {
		if codeOf(err) != code {
			return Failed
		}
	}
	return code
}

func codeOf(err error) Exit {
	switch e := err.(type) {
	case *Failures:
		return e.code()
	case *Error:
		return e.code()
	}
	return exitFor(err)
}

// failureJSON is the shape of an error under -o json.
type failureJSON struct {
	Kind      string `json:"kind"`
	Version   int    `json:"version"`
	What      string `json:"what,omitempty"`
	Where     string `json:"where,omitempty"`
	Message   string `json:"message"`
	Name      string `json:"error,omitempty"`
	Code      *int16 `json:"code,omitempty"`
	Retriable *bool  `json:"retriable,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Exit      Exit   `json:"exit"`
}

// Report writes err to w, a line for each failure, and returns the exit code.
func Report(w io.Writer, err error, asJSON bool, label string) Exit {
	code := codeOf(err)
	parts := []error{err}
	if f, ok := err.(*Failures); ok {
		parts = f.Errs
	}
	for _, p := range parts {
		if asJSON {
			_ = Encode(w, describeFailure(p, code)) // there is nowhere left to say that this failed
			continue
		}
		fmt.Fprintln(w, label+OneLine(p))
	}
	return code
}

// OneLine words err on one line, as every command reports it.
func OneLine(err error) string {
	e, ok := err.(*Error)
	if !ok {
		e = &Error{Err: err}
	}
	return e.Error()
}

func describeFailure(err error, exit Exit) failureJSON {
	f := failureJSON{Kind: "Error", Version: 1, Exit: exit, Message: plain(err)}
	if e, ok := err.(*Error); ok {
		f.What, f.Where, f.Hint, f.Message = e.What, e.Where, e.Hint, plain(e.Err)
	}
	var k *kerr.Error
	if errors.As(err, &k) {
		f.Name, f.Code, f.Retriable = k.Message, &k.Code, &k.Retriable
		f.Message = strings.TrimSuffix(strings.TrimSuffix(f.Message, ": "+k.Error()), ".")
		if f.Message == k.Error() {
			f.Message = k.Description
		}
	}
	return f
}

// Encode writes v as JSON on a line of its own, without escapes for HTML.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
