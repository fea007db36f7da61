package bare

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sys/unix"
)

// inlined is the size up to which records are copied into the answer: below it that is cheaper than sendfile.
const inlined = 16 << 10

// piece is a part of an answer: bytes up to here, then a range of a file.
type piece struct {
	upTo     int
	file     *os.File
	start, n int64
}

// fetch answers in version 12: what is there, or what comes within the time that the client waits.
func (s *server) fetch(nc net.Conn, out []byte, id uint32, req *kmsg.FetchRequest) ([]byte, error) {
	if req.Version != 12 {
		return out, fmt.Errorf("fetch version %d", req.Version)
	}
	deadline := time.NewTimer(time.Duration(req.MaxWaitMillis) * time.Millisecond)
	defer deadline.Stop()
	for {
		pieces, wait, err := s.collect(&out, id, req)
		if err != nil {
			return out, err
		}
		if wait != nil {
			select {
			case <-wait:
				continue
			case <-deadline.C:
			}
		}
		return out, send(nc, out, pieces)
	}
}

// collect encodes the answer; wait is not nil where it has no records yet.
func (s *server) collect(out *[]byte, id uint32, req *kmsg.FetchRequest) (pieces []piece, wait <-chan struct{}, err error) {
	b := append((*out)[:0], 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, id)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, uint64(len(req.Topics)+1))
	left, total := int64(req.MaxBytes), int64(0)
	for _, t := range req.Topics {
		b = binary.AppendUvarint(b, uint64(len(t.Topic)+1))
		b = append(b, t.Topic...)
		b = binary.AppendUvarint(b, uint64(len(t.Partitions)+1))
		for _, p := range t.Partitions {
			b = binary.BigEndian.AppendUint32(b, uint32(p.Partition))
			l := s.logs.find(t.Topic, p.Partition)
			var start, n, next int64
			if l == nil {
				b = binary.BigEndian.AppendUint16(b, uint16(kerr.UnknownTopicOrPartition.Code))
			} else {
				b = append(b, 0, 0)
				var grown <-chan struct{}
				start, n, next, grown = l.from(p.FetchOffset, min(left, int64(p.PartitionMaxBytes)))
				wait = grown // of the last one: those who wait fetch one partition
			}
			b = binary.BigEndian.AppendUint64(b, uint64(next))
			b = binary.BigEndian.AppendUint64(b, uint64(next))
			b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)
			b = binary.AppendUvarint(b, uint64(n+1))
			if n > 0 && n <= inlined {
				b = append(b, make([]byte, n)...)
				if _, err := l.file.ReadAt(b[len(b)-int(n):], start); err != nil {
					return nil, nil, err
				}
			} else if n > 0 {
				pieces = append(pieces, piece{len(b), l.file, start, n})
			}
			left, total = left-n, total+n
			b = append(b, 0)
		}
		b = append(b, 0)
	}
	b = append(b, 0)
	size := int64(len(b) - 4)
	for _, p := range pieces {
		size += p.n
	}
	binary.BigEndian.PutUint32(b, uint32(size))
	*out = b
	if total > 0 {
		wait = nil
	}
	return pieces, wait, nil
}

func send(nc net.Conn, out []byte, pieces []piece) error {
	at := 0
	for _, p := range pieces {
		if _, err := nc.Write(out[at:p.upTo]); err != nil {
			return err
		}
		at = p.upTo
		if err := sendfile(nc, p); err != nil {
			return err
		}
	}
	_, err := nc.Write(out[at:])
	return err
}

// sendfile has an offset of its own: several connections read one file.
func sendfile(nc net.Conn, p piece) error {
	rc, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = rc.Write(func(fd uintptr) bool {
		for p.n > 0 {
			n, err := unix.Sendfile(int(fd), int(p.file.Fd()), &p.start, int(min(p.n, 1<<20)))
			switch {
			case errors.Is(err, unix.EAGAIN):
				return false
			case errors.Is(err, unix.EINTR):
			case err != nil:
				failed = err
				return true
			case n == 0:
				failed = io.ErrUnexpectedEOF
				return true
			default:
				p.n -= int64(n)
			}
		}
		return true
	})
	return errors.Join(err, failed)
}
