package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/reach"
)

const defaultRequestTimeout = 10 * time.Second

// TimeoutFlag is a duration above zero.
type TimeoutFlag time.Duration

// String returns the duration as Go writes it.
func (t *TimeoutFlag) String() string {
	if *t == 0 {
		return "" // not given
	}
	return time.Duration(*t).String()
}

// Type is what the help shows as the flag's argument.
func (t *TimeoutFlag) Type() string { return "duration" }

// Set refuses zero and less.
func (t *TimeoutFlag) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return fmt.Errorf("want a duration above zero such as 500ms, 10s or 2m")
	}
	*t = TimeoutFlag(d)
	return nil
}

// shortestOverhead and longestOverhead bound what kgo takes as the time for an answer.
const (
	shortestOverhead = 100 * time.Millisecond
	longestOverhead  = 15 * time.Minute
)

// Server is a connected client.
type Server struct {
	*kgo.Client
	Admin *kadm.Client
	// Contact tells whether the server answers.
	Contact *Contact
	// Where is what errors call the server.
	Where string
}

// Connect makes a client and has a server answer it once, so that nothing after it waits long for one that is not there.
func (a *App) Connect(ctx context.Context, opts ...kgo.Opt) (*Server, error) {
	given, err := a.Settings()
	if err != nil {
		return nil, err
	}
	return a.connect(ctx, given, opts)
}

// ConnectElsewhere is Connect for a second server: a profile's name, or HOST:PORT,…, which gets none of the first one's settings: they may
// hold secrets.
func (a *App) ConnectElsewhere(where string) func(context.Context, ...kgo.Opt) (*Server, error) {
	return func(ctx context.Context, opts ...kgo.Opt) (*Server, error) {
		given, err := a.elsewhere(where)
		if err != nil {
			return nil, err
		}
		return a.connect(ctx, given, opts)
	}
}

func (a *App) connect(ctx context.Context, given reach.Settings, opts []kgo.Opt) (*Server, error) {
	addresses, err := given.Addresses()
	if err != nil {
		e := Usagef("%v", err)
		e.Hint = "want HOST:PORT, for example 127.0.0.1:9092"
		return nil, e
	}
	timeout := a.Timeout()
	secured, err := given.Options(ctx, a.World.Getenv)
	if err != nil {
		return nil, &Error{What: "connect", Err: err, Exit: Usage, Hint: whereSettings}
	}
	contact := &Contact{}
	opts = slices.Concat([]kgo.Opt{
		kgo.SeedBrokers(addresses...),
		kgo.WithHooks(contact),
		kgo.WithLogger(contact),
		kgo.SoftwareNameAndVersion("ottla", SoftwareVersion()),
		kgo.RetryTimeout(timeout),
		kgo.RequestTimeoutOverhead(min(max(timeout, shortestOverhead), longestOverhead)),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}, secured, opts)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, &Error{Err: err, Exit: Usage}
	}
	s := &Server{Client: client, Admin: kadm.NewClient(client), Contact: contact, Where: strings.Join(addresses, ",")}
	s.Admin.SetTimeoutMillis(int32(min(timeout.Milliseconds(), 1<<31-1)))
	ping, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := client.Ping(ping); err != nil {
		client.Close()
		return nil, unreachable(s.Where, given.Source(reach.Servers), err)
	}
	return s, nil
}

// Patient are the options of who goes on trying for so long: it is asked again for all of that time, and one answer is waited for only a part of it, since
// a server that hangs would use it up while others would answer.
func (a *App) Patient(total time.Duration) []kgo.Opt {
	one := min(a.Timeout(), max(total/6, time.Second))
	return []kgo.Opt{kgo.RequestTimeoutOverhead(min(max(one, shortestOverhead), longestOverhead)), kgo.RetryTimeout(total)}
}

// unreachable words that no server answers at addresses, which source says, "" if the command line did.
func unreachable(addresses, source string, err error) error {
	e := &Error{What: "connect", Where: addresses, Err: err, Exit: Unreachable}
	if source != "" {
		e.Where += " (of " + source + ")"
	}
	var first *kgo.ErrFirstReadEOF
	var name *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		e.Err, e.Exit = errors.New("interrupted"), Failed
	case errors.As(err, &first):
		e.Err = errors.New("the server closed the connection at once")
		e.Hint = "it may want TLS or a login, or not be a Kafka server at all"
	case errors.As(err, &name):
		e.Hint = "is the name right? -b HOST:PORT names another; `ottla diag connection` looks closer"
	default:
		e.Hint = "is a server running there? -b HOST:PORT names another; `ottla diag connection` looks closer"
		if start := Starts(addresses); start != "" {
			e.Hint = "is a server running there? `" + start + "` starts one; -b HOST:PORT names another"
		}
	}
	return e
}

// Starts is the command that starts a server at address, "" where this machine is not meant.
func Starts(address string) string {
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil || !Loopback(host):
		return ""
	case address == "127.0.0.1:9092":
		return "ottla dev"
	}
	return "ottla dev --listen " + net.JoinHostPort(host, port)
}

// ErrNotMentioned is the failure of a thing that was asked for and is missing in the answer.
var ErrNotMentioned = errors.New("the server's answer does not mention it")

// ErrNoBrokers is the failure of an answer that names no broker: whoever answers is one.
var ErrNoBrokers = errors.New("the server's answer names no broker")

// Bounded returns a context for one request.
func (a *App) Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.Timeout())
}

// WithServer connects and does what is bounded by the time that the user gives a request.
func (a *App) WithServer(ctx context.Context, do func(context.Context, *Server) error) error {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	s, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(ctx, s)
}

// Undecided is Failed for what a controller decides: where no answer comes, there may be none.
func (s *Server) Undecided(what string, err error) error {
	failed := s.Failed(what, err)
	if e, ok := failed.(*Error); ok && e.Hint == "" && errors.Is(err, context.DeadlineExceeded) {
		e.Hint = askHealth
	}
	return failed
}

// askHealth is for who may lack a controller, or a broker.
const askHealth = "`ottla cluster health` says whether there is a controller, and who is missing"

// Failed words an error of a request; the hint for a known cause comes along.
func (s *Server) Failed(what string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	e = &Error{What: what, Where: s.Where, Err: err, Hint: HintFor(err)}
	var auth *kadm.AuthError
	var shard *kadm.ShardErrors
	switch {
	case errors.As(err, &auth):
		e.Err, e.Exit = auth.Err, Denied
	case errors.As(err, &shard) && len(shard.Errs) > 0:
		e.Err = shard.Errs[0].Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil && !strings.Contains(s.Where, op.Addr.String()) {
		e.Hint = fmt.Sprintf("the server names %s as an address of the cluster (advertised.listeners), and that can't be reached from here", op.Addr)
	}
	return e
}
