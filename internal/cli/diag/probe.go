package diag

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// failureOf puts the failure to reach an address in one word where there is one.
func failureOf(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}

// resolve says what addresses a host is.
func resolve(ctx context.Context, host string) ([]string, error) {
	if ip := net.ParseIP(host); ip != nil {
		return []string{ip.String()}, nil
	}
	return net.DefaultResolver.LookupHost(ctx, host)
}

// dial opens a connection, by the deadline of ctx.
func dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	return conn, err
}

// encrypt begins TLS.
func encrypt(ctx context.Context, conn net.Conn, address string, c *tls.Config) (net.Conn, error) {
	c = c.Clone()
	c.ServerName, _, _ = net.SplitHostPort(address)
	t := tls.Client(conn, c)
	return t, t.HandshakeContext(ctx)
}

// mostAnswer bounds the answer to ApiVersions, which has some hundred bytes.
const mostAnswer = 1 << 20

// errNoKafka is that whoever answered does not speak Kafka's protocol.
var errNoKafka = errors.New("whoever answers there does not speak Kafka's protocol")

// askVersions sends ApiVersions, which every server answers before a login, and returns the number of APIs.
func askVersions(conn net.Conn) (int, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.SetVersion(3)
	req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla", command.SoftwareVersion()
	const correlation = 7
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("ottla")).AppendRequest(nil, req, correlation)
	if _, err := conn.Write(frame); err != nil {
		return 0, err
	}
	var head [8]byte
	if n, err := io.ReadFull(conn, head[:]); err != nil {
		if n > 0 {
			err = fmt.Errorf("%w: it answers %q", errNoKafka, head[:n])
		}
		return 0, err
	}
	size := binary.BigEndian.Uint32(head[:4])
	if strings.HasPrefix(string(head[:]), "HTTP/") {
		return 0, fmt.Errorf("%w: it speaks HTTP", errNoKafka)
	}
	if head[0] == 0x15 && head[1] == 3 {
		return 0, fmt.Errorf("%w in the clear: it speaks TLS", errNoKafka)
	}
	if size < 4 || size > mostAnswer || binary.BigEndian.Uint32(head[4:]) != correlation {
		return 0, fmt.Errorf("%w: it answers %q", errNoKafka, head[:])
	}
	body, err := io.ReadAll(io.LimitReader(conn, int64(size)-4))
	if err != nil {
		return 0, err
	}
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.SetVersion(3)
	if err := resp.ReadFrom(body); err != nil && !errors.Is(err, kbin.ErrNotEnoughData) {
		return 0, err
	}
	if len(body) >= 2 && int16(binary.BigEndian.Uint16(body)) == kerr.UnsupportedVersion.Code {
		return 0, nil // an old one, and one of Kafka's
	}
	return len(resp.ApiKeys), kerr.ErrorForCode(resp.ErrorCode)
}

// bounded is a context for one step.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, timeout)
}
