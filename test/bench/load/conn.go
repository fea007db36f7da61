package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Conn is a bare connection. It belongs to one goroutine.
type Conn struct {
	nc     net.Conn
	in     []byte
	format *kmsg.RequestFormatter
}

// Dial connects.
func Dial(address string) (*Conn, error) {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &Conn{nc: nc, in: make([]byte, 64<<10), format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench"))}, nil
}

// Close closes the connection.
func (c *Conn) Close() { c.nc.Close() }

// Frame is a request as it goes out.
func (c *Conn) Frame(req kmsg.Request) []byte { return c.format.AppendRequest(nil, req, 1) }

// Write sends a frame.
func (c *Conn) Write(frame []byte) error {
	_, err := c.nc.Write(frame)
	return err
}

// Expect bounds the wait for what is read from now on.
func (c *Conn) Expect(within time.Duration) error {
	return c.nc.SetReadDeadline(time.Now().Add(within))
}

// Call sends a request and decodes the answer.
func (c *Conn) Call(req kmsg.Request) (kmsg.Response, error) {
	if err := c.Write(c.Frame(req)); err != nil {
		return nil, err
	}
	body, err := c.Answer()
	if err != nil {
		return nil, err
	}
	resp := req.ResponseKind()
	body = body[4:]
	if resp.IsFlexible() && resp.Key() != 18 {
		body = body[1:]
	}
	return resp, resp.ReadFrom(body)
}

// Answer reads one frame, the correlation id first; it is good until the next.
func (c *Conn) Answer() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c.nc, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if n > len(c.in) {
		c.in = make([]byte, n)
	}
	_, err := io.ReadFull(c.nc, c.in[:n])
	return c.in[:n], err
}

// ProduceRequest asks for one batch to be appended to one partition.
func ProduceRequest(topic string, partition int32, records []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = produceVersion, 1, 30_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, records
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// FetchRequest reads one partition without a session. It waits 500 ms at the most for anything.
func FetchRequest(topic string, partition int32, offset int64, maxBytes int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = fetchVersion, 500, 1, maxBytes, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, maxBytes
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// The versions whose answers are looked at in place below: topics by name.
const (
	produceVersion = 9
	fetchVersion   = 12
)

// Produced says whether the answer to a ProduceRequest of one partition is good, without decoding the whole: correlation
// id, tags, one topic, its name, one partition, its index, the error.
func Produced(body []byte) error {
	const before = 4 + 1 + 1
	if len(body) < before+1 {
		return fmt.Errorf("the answer to a produce has %d bytes", len(body))
	}
	at := before + int(body[before]) + 1 + 4 // the name's length is one more than its bytes, and takes one itself
	if len(body) < at+2 {
		return fmt.Errorf("the answer to a produce has %d bytes", len(body))
	}
	return kerr.ErrorForCode(int16(binary.BigEndian.Uint16(body[at:])))
}

// fetched finds the records in the answer to a FetchRequest of one partition: correlation id, tags, throttle time, error,
// session, one topic, its name, one partition: index, error, three offsets, aborted transactions, preferred replica, records.
func fetched(body []byte) ([]byte, error) {
	const before = 4 + 1 + 4 + 2 + 4 + 1
	if len(body) < before+1 {
		return nil, fmt.Errorf("the answer to a fetch has %d bytes", len(body))
	}
	at := before + int(body[before]) + 1
	const offsets = 3 * 8
	if len(body) < at+4+2+offsets+1+4+1 {
		return nil, fmt.Errorf("the answer to a fetch has %d bytes", len(body))
	}
	if err := kerr.ErrorForCode(int16(binary.BigEndian.Uint16(body[at+4:]))); err != nil {
		return nil, err
	}
	at += 4 + 2 + offsets
	if body[at] > 1 {
		return nil, fmt.Errorf("a log without transactions has aborted ones")
	}
	at += 1 + 4
	size, n := binary.Uvarint(body[at:])
	if n <= 0 || size == 0 {
		return nil, nil
	}
	at += n
	if uint64(len(body)-at) < size-1 {
		return nil, fmt.Errorf("the records of a fetch are cut short")
	}
	return body[at : at+int(size)-1], nil
}

// fetcher asks for one partition again and again; only the offset in its frame changes.
type fetcher struct {
	frame  []byte
	offset []byte // within frame
	end    int64  // of the partition, where somebody asked
}

func newFetcher(c *Conn, topic string, partition, maxBytes int32) (*fetcher, error) {
	const mark = 0x0102030405060708
	f := &fetcher{frame: c.Frame(FetchRequest(topic, partition, mark, maxBytes))}
	at := bytes.Index(f.frame, binary.BigEndian.AppendUint64(nil, mark))
	if at < 0 {
		return nil, fmt.Errorf("a fetch request without its offset")
	}
	f.offset = f.frame[at : at+8]
	return f, nil
}

func (f *fetcher) seek(offset int64) { binary.BigEndian.PutUint64(f.offset, uint64(offset)) }

func (f *fetcher) position() int64 { return int64(binary.BigEndian.Uint64(f.offset)) }

// Greet asks for the versions on a connection, and reads the answer: what every client does first.
func Greet(nc net.Conn) error {
	c := &Conn{nc: nc, in: make([]byte, 4<<10), format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench"))}
	req := kmsg.NewPtrApiVersionsRequest()
	if err := c.Write(c.Frame(req)); err != nil {
		return err
	}
	_, err := c.Answer()
	return err
}
