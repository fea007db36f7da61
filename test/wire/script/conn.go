package script

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Ways in which a request can go without an answer.
var (
	errClosed = errors.New("closed")
	errSilent = errors.New("silent")
)

// answerWait is how long an answer may take before it counts as none. Machines
// are slow at times, so it is long; where Kafka is known to give no answer,
// silenceWait is used.
const (
	answerWait  = 20 * time.Second
	silenceWait = 2 * time.Second
)

// maxAnswer bounds an answer's claimed size.
const maxAnswer = 64 << 20

// conn is one connection; requests on it are answered one by one.
type conn struct {
	net.Conn
	correlation int32
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// send writes one request frame and returns its correlation id. The version in
// the header may differ from the one that body was encoded with.
func (c *conn) send(key, version int16, flexible bool, body []byte) (int32, error) {
	c.correlation++
	head := make([]byte, 4, 32+len(body))
	head = binary.BigEndian.AppendUint16(head, uint16(key))
	head = binary.BigEndian.AppendUint16(head, uint16(version))
	head = binary.BigEndian.AppendUint32(head, uint32(c.correlation))
	head = binary.BigEndian.AppendUint16(head, uint16(len(clientID)))
	head = append(head, clientID...)
	if flexible {
		head = append(head, 0)
	}
	frame := append(head, body...)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	_ = c.SetWriteDeadline(time.Now().Add(answerWait))
	if _, err := c.Write(frame); err != nil {
		return 0, errClosed
	}
	return c.correlation, nil
}

// receive reads one answer frame and returns its correlation id and the rest.
func (c *conn) receive(wait time.Duration) (int32, []byte, error) {
	_ = c.SetReadDeadline(time.Now().Add(wait))
	var head [4]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			return 0, nil, errSilent
		}
		return 0, nil, errClosed
	}
	size := int32(binary.BigEndian.Uint32(head[:]))
	if size < 4 || size > maxAnswer {
		return 0, nil, fmt.Errorf("answer claims %d bytes", size)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(c, body); err != nil {
		return 0, nil, errClosed
	}
	return int32(binary.BigEndian.Uint32(body)), body[4:], nil
}

// decode reads the answer to a request of the given version. Trailing bytes,
// or bytes that another encoder would not have written, are noted, not failed.
func decode(resp kmsg.Response, version int16, body []byte) (note string, err error) {
	resp.SetVersion(version)
	if resp.IsFlexible() && resp.Key() != keyAPIVersions {
		if len(body) == 0 {
			return "", errors.New("answer without header tags")
		}
		if body[0] != 0 {
			return "", fmt.Errorf("answer header has %d tags", body[0])
		}
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		return "", fmt.Errorf("undecodable answer of %d bytes: %w", len(body), err)
	}
	again := resp.AppendTo(nil)
	if len(again) != len(body) {
		return fmt.Sprintf("another encoder writes %d bytes", len(again)-len(body)), nil
	}
	return "", nil
}

// prefixed is a connection of which some bytes have been read already.
type prefixed struct {
	net.Conn
	first []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}
