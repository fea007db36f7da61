package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	defaultServer = "127.0.0.1:9092"
	defaultPort   = "9092"
	// serverVariable names the environment variable that stands in for -b.
	serverVariable        = "OTTLA_BOOTSTRAP_SERVER"
	defaultRequestTimeout = 10 * time.Second
)

// timeoutFlag is a duration above zero.
type timeoutFlag time.Duration

// String returns the duration as Go writes it.
func (t *timeoutFlag) String() string { return time.Duration(*t).String() }

// Type is what the help shows as the flag's argument.
func (t *timeoutFlag) Type() string { return "duration" }

// Set refuses zero and less.
func (t *timeoutFlag) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return fmt.Errorf("want a duration above zero such as 500ms, 10s or 2m")
	}
	*t = timeoutFlag(d)
	return nil
}

func (a *app) clientFlags(f *pflag.FlagSet) {
	f.StringArrayVarP(&a.servers, "bootstrap-server", "b", nil,
		"addresses of one or more servers, `HOST:PORT,…` (default: "+serverVariable+", else "+defaultServer+")")
	f.Var(&a.requestTimeout, "request-timeout", "how long to wait for a server's answer")
	a.outputFlags(f)
}

// addresses returns the servers to start from: the flag's, the environment's, or the default.
func (a *app) addresses() ([]string, error) {
	given := strings.Join(a.servers, ",")
	if len(a.servers) == 0 {
		given = a.world.Getenv(serverVariable)
		if given == "" {
			return []string{defaultServer}, nil
		}
	}
	var all []string
	for s := range strings.SplitSeq(given, ",") {
		address, err := parseAddress(strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}

// parseAddress completes HOST or HOST:PORT, where HOST may be an IPv6 address in brackets.
func parseAddress(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), defaultPort
	}
	n, perr := strconv.ParseUint(port, 10, 16)
	bad := perr != nil || n == 0 || strings.ContainsAny(host, "/ []")
	if bad || host == "" || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		e := Usagef("%q is not an address", s)
		e.Hint = "want HOST:PORT, for example " + defaultServer
		return "", e
	}
	return net.JoinHostPort(host, port), nil
}

// shortestOverhead and longestOverhead bound what kgo takes as the time for an answer.
const (
	shortestOverhead = 100 * time.Millisecond
	longestOverhead  = 15 * time.Minute
)

// server is a connected client.
type server struct {
	*kgo.Client
	admin *kadm.Client
	// where is what errors call the server.
	where string
}

// connect makes a client and has a server answer it once, so that nothing after it waits long for one that is not there.
func (a *app) connect(ctx context.Context, opts ...kgo.Opt) (*server, error) {
	addresses, err := a.addresses()
	if err != nil {
		return nil, err
	}
	timeout := time.Duration(a.requestTimeout)
	opts = append([]kgo.Opt{
		kgo.SeedBrokers(addresses...),
		kgo.ClientID("ottla"),
		kgo.SoftwareNameAndVersion("ottla", softwareVersion()),
		kgo.DialTimeout(timeout),
		kgo.RetryTimeout(timeout),
		kgo.RequestTimeoutOverhead(min(max(timeout, shortestOverhead), longestOverhead)),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}, opts...)
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, &Error{Err: err, Exit: Usage}
	}
	s := &server{Client: client, admin: kadm.NewClient(client), where: strings.Join(addresses, ",")}
	s.admin.SetTimeoutMillis(int32(min(timeout.Milliseconds(), 1<<31-1)))
	ping, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := client.Ping(ping); err != nil {
		client.Close()
		return nil, unreachable(s.where, err)
	}
	return s, nil
}

func unreachable(where string, err error) error {
	e := &Error{What: "connect", Where: where, Err: err, Exit: Unreachable}
	var first *kgo.ErrFirstReadEOF
	switch {
	case errors.Is(err, context.Canceled):
		e.Err, e.Exit = errors.New("interrupted"), Failed
	case errors.As(err, &first):
		e.Err = errors.New("the server closed the connection at once")
		e.Hint = "it may want TLS or a login, or not be a Kafka server at all"
	default:
		e.Hint = "is a server running there? `ottla dev` starts one; -b HOST:PORT names another"
	}
	return e
}

var errNotMentioned = errors.New("the server's answer does not mention it")

// bounded returns a context for one request.
func (a *app) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(a.requestTimeout))
}

// withServer connects and does what is bounded by the time that the user gives a request.
func (a *app) withServer(ctx context.Context, do func(context.Context, *server) error) error {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(ctx, s)
}

// failed words an error of a request; the hint for a known cause comes along.
func (s *server) failed(what string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	e = &Error{What: what, Where: s.where, Err: err, Hint: hintFor(err)}
	var auth *kadm.AuthError
	var shard *kadm.ShardErrors
	switch {
	case errors.As(err, &auth):
		e.Err, e.Exit = auth.Err, Denied
	case errors.As(err, &shard) && len(shard.Errs) > 0:
		e.Err = shard.Errs[0].Err
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil && !strings.Contains(s.where, op.Addr.String()) {
		e.Hint = fmt.Sprintf("the server names %s as an address of the cluster (advertised.listeners), and that can't be reached from here", op.Addr)
	}
	return e
}
