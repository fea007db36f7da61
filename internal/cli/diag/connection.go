package diag

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/reach"
)

// Command is `ottla diag`.
func Command(a *command.App) *cobra.Command {
	cmd := command.Parent(&cobra.Command{Use: "diag", Short: "Find out what is wrong: connection, listeners, or a bundle of it all"},
		connection(a), listeners(a), bundle(a))
	a.ClientFlags(cmd.PersistentFlags())
	return cmd
}

// step is one thing that was tried on the way to a server.
type step struct {
	Step   string  `json:"step"`
	Target string  `json:"target"`
	OK     bool    `json:"ok"`
	Detail string  `json:"detail"`
	Hint   string  `json:"hint,omitempty"`
	Millis float64 `json:"millis"`
}

var stepColumns = []command.Column[step]{
	{Name: "STEP", Value: func(s step) string { return s.Step }},
	{Name: "TARGET", Value: func(s step) string { return s.Target }},
	{Name: "RESULT", Value: func(s step) string { return map[bool]string{true: "ok", false: "fails"}[s.OK] }},
	{Name: "DETAIL", Value: func(s step) string { return s.Detail }},
	{Name: "MILLIS", Value: func(s step) string { return fmt.Sprintf("%.1f", s.Millis) }, Number: true, Wide: true},
}

func connection(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "connection", Short: "Go step by step to the server, and say where it breaks",
		Long: "Go step by step to each server: its name (DNS), a connection (TCP), encryption (TLS) if it is set, the first question\n" +
			"of Kafka's protocol (ApiVersions), and then with a login if one is set the cluster's brokers (Metadata).",
		Args: command.Args(0, 0, "no arguments"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			steps, err := walk(cmd.Context(), a)
			if err != nil {
				return err
			}
			if err := command.List(a, "ConnectionSteps", "steps", steps, stepColumns); err != nil {
				return err
			}
			return broken(steps)
		},
	}
	return a.Prints(cmd, command.ListOf[step]("ConnectionSteps", "steps"))
}

// broken is the failure of the last step, if no way led to its end.
func broken(steps []step) error {
	last := steps[len(steps)-1]
	if last.OK {
		return nil
	}
	return &command.Error{What: "connection breaks at " + last.Step, Where: last.Target, Err: errors.New(last.Detail), Hint: last.Hint, Exit: command.Unreachable}
}

// walker takes steps and notes them.
type walker struct {
	a     *command.App
	steps []step
}

// take tries something and notes how it went.
func (w *walker) take(name, target string, try func() (detail string, err error), hint func(error) string) bool {
	began := time.Now()
	detail, err := try()
	s := step{Step: name, Target: target, OK: err == nil, Detail: detail, Millis: float64(time.Since(began).Microseconds()) / 1000}
	if err != nil {
		s.Detail, s.Hint = failureOf(err), hint(err)
		var e *command.Error
		if errors.As(err, &e) {
			s.Detail = command.OneLine(&command.Error{Err: e.Err})
			if e.Hint != "" {
				s.Hint = e.Hint
			}
		}
	}
	w.steps = append(w.steps, s)
	return err == nil
}

// walk goes to every address that is set, and with the client to the cluster where one of them answered.
func walk(ctx context.Context, a *command.App) ([]step, error) {
	given, err := a.Settings()
	if err != nil {
		return nil, err
	}
	addresses, err := given.Addresses()
	if err != nil {
		return nil, command.Usagef("%v", err)
	}
	w := &walker{a: a}
	w.take("settings", strings.Join(addresses, ","), func() (string, error) {
		from, _ := given.Lookup(reach.Servers)
		return fmt.Sprintf("%s, from %s", strings.ToUpper(given.Text(reach.Protocol)), from.Where), nil
	}, nil)
	reached := false
	for _, address := range addresses {
		reached = w.approach(ctx, given, address) || reached
	}
	if !reached {
		return w.steps, nil
	}
	w.take("Metadata", strings.Join(addresses, ","), func() (string, error) {
		return w.cluster(ctx)
	}, func(error) string {
		return "the server answers, but not this question: a login may be missing (security.protocol=SASL_…) or be refused"
	})
	return w.steps, nil
}

// approach goes to one address until it speaks Kafka's protocol.
func (w *walker) approach(ctx context.Context, given reach.Settings, address string) bool {
	timeout := w.a.Timeout()
	host, _, _ := net.SplitHostPort(address)
	if !w.take("DNS", host, func() (string, error) {
		ctx, cancel := bounded(ctx, timeout)
		defer cancel()
		ips, err := resolve(ctx, host)
		return strings.Join(ips, ", "), err
	}, func(error) string { return "the name is not known here: a typo, another network, or a VPN that is off" }) {
		return false
	}
	ctx, cancel := bounded(ctx, timeout)
	defer cancel()
	var conn net.Conn
	if !w.take("TCP", address, func() (detail string, err error) {
		if conn, err = dial(ctx, address); err != nil {
			return "", err
		}
		return "from " + conn.LocalAddr().String(), nil
	}, tcpHint) {
		return false
	}
	defer conn.Close()
	if given.Encrypted() && !w.take("TLS", address, func() (string, error) {
		c, err := given.TLS(ctx, w.a.World.Getenv)
		if err != nil {
			return "", err
		}
		secure, err := encrypt(ctx, conn, address, c)
		if err != nil {
			return "", err
		}
		conn = secure
		state := secure.(*tls.Conn).ConnectionState()
		return fmt.Sprintf("%s, certificate of %s", tls.VersionName(state.Version), state.PeerCertificates[0].Subject), nil
	}, tlsHint) {
		return false
	}
	return w.take("ApiVersions", address, func() (string, error) {
		n, err := askVersions(conn)
		return command.Count(int64(n), "API"), err
	}, protocolHint)
}

func tcpHint(err error) string {
	switch failureOf(err) {
	case "refused":
		return "nothing listens there: is the server running, and is the port right? `ottla dev` starts one"
	case "timeout":
		return "nobody answers: a firewall, or a machine that is off"
	}
	return "the network leads nowhere near it"
}

func tlsHint(err error) string {
	if strings.Contains(err.Error(), "does not look like a TLS handshake") || errors.Is(err, io.EOF) || failureOf(err) == "timeout" {
		return "the listener may speak plaintext: try -X security.protocol=PLAINTEXT"
	}
	return "ssl.ca.location names the authority that signed the server's certificate, which must be of the name that you use"
}

func protocolHint(err error) string {
	if strings.Contains(err.Error(), "it speaks TLS") || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return "the listener may want TLS: try -X security.protocol=SSL"
	}
	return "is that the port of Kafka's protocol?"
}

// cluster asks for the brokers with the client itself, and says how many there are.
func (w *walker) cluster(ctx context.Context) (detail string, err error) {
	err = w.a.WithServer(ctx, func(ctx context.Context, s *command.Server) error {
		meta, err := brokers(ctx, s)
		if err != nil {
			return s.Failed("metadata", err)
		}
		var at []string
		for _, b := range meta.Brokers {
			at = append(at, fmt.Sprintf("%d at %s:%d", b.NodeID, b.Host, b.Port))
		}
		detail = fmt.Sprintf("cluster %s: broker %s", clusterID(meta), strings.Join(at, ", "))
		return nil
	})
	return detail, err
}
