package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// source gives one record after another, and at the end io.EOF. What it gives is the caller's to keep.
type source interface {
	next(*kgo.Record) error
}

// slab is how much input a splitter asks for at a time.
const slab = 256 << 10

// splitter cuts input at a delimiter. The pieces alias memory that is not used again, so that a record costs no copy.
type splitter struct {
	r       io.Reader
	delim   []byte
	limit   int    // longest piece in bytes
	buf     []byte // the unread part
	scanned int    // how much of buf is known to hold no delimiter
	eof     bool
	pieces  int64
}

// next returns the next piece without its delimiter; a last piece needs none.
func (s *splitter) next() ([]byte, error) {
	for {
		from := max(0, s.scanned-len(s.delim)+1)
		if i := bytes.Index(s.buf[from:], s.delim); i >= 0 {
			return s.cut(from+i, len(s.delim))
		}
		s.scanned = len(s.buf)
		switch {
		case s.eof && len(s.buf) == 0:
			return nil, io.EOF
		case s.eof:
			return s.cut(len(s.buf), 0)
		case len(s.buf) > s.limit+len(s.delim):
			return s.cut(len(s.buf), 0)
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

func (s *splitter) cut(n, delim int) ([]byte, error) {
	s.pieces++
	if n > s.limit {
		return nil, fmt.Errorf("record %d is longer than %d bytes (--max-message-bytes)", s.pieces, s.limit)
	}
	piece := s.buf[:n:n]
	s.buf, s.scanned = s.buf[n+delim:], 0
	return piece, nil
}

// fill reads once. A slab that is full is left to the pieces cut from it, and a new one begins with what is unread.
func (s *splitter) fill() error {
	if cap(s.buf)-len(s.buf) < slab/64 {
		grown := make([]byte, len(s.buf), max(slab, 2*len(s.buf)))
		copy(grown, s.buf)
		s.buf = grown
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if errors.Is(err, io.EOF) {
		s.eof, err = true, nil
	}
	return err
}

// lines makes each piece a value, or a key and a value.
type lines struct {
	split     splitter
	separator []byte // between key and value; empty: no key
}

func (l *lines) next(r *kgo.Record) error {
	piece, err := l.split.next()
	if err != nil {
		return err
	}
	r.Value = piece
	if len(l.separator) > 0 {
		key, value, ok := bytes.Cut(piece, l.separator)
		if !ok {
			return fmt.Errorf("record %d has no separator %q between key and value", l.split.pieces, l.separator)
		}
		r.Key, r.Value = key, value
	}
	return nil
}

// jsonLines reads a JSON object from each line, as `consume -o jsonl` writes them. Empty lines are passed over.
type jsonLines struct{ split splitter }

func (j *jsonLines) next(r *kgo.Record) error {
	for {
		piece, err := j.split.next()
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(piece)) == 0 {
			continue
		}
		if err := fromJSON(piece, r); err != nil {
			return fmt.Errorf("line %d: %w", j.split.pieces, err)
		}
		return nil
	}
}

// whole makes one record of all the input.
type whole struct {
	r     io.Reader
	limit int
	read  bool
}

func (w *whole) next(r *kgo.Record) error {
	if w.read {
		return io.EOF
	}
	w.read = true
	b, err := io.ReadAll(io.LimitReader(w.r, int64(w.limit)+1))
	if err != nil {
		return err
	}
	if len(b) > w.limit {
		return fmt.Errorf("the input is longer than %d bytes (--max-message-bytes)", w.limit)
	}
	r.Value = b
	return nil
}

// formatted reads records by a format with % escapes.
type formatted struct {
	reader *kgo.RecordReader
	read   int64
}

func newFormatted(r io.Reader, format string) (*formatted, error) {
	reader, err := kgo.NewRecordReader(r, format)
	if err != nil {
		return nil, command.Usagef("--format %q: %v", format, err)
	}
	return &formatted{reader: reader}, nil
}

func (f *formatted) next(r *kgo.Record) error {
	f.read++
	err := f.reader.ReadRecordInto(r)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("record %d does not fit --format: %w", f.read, err)
	}
	return err
}

// several reads one source after another.
type several struct{ all []source }

func (s *several) next(r *kgo.Record) error {
	for len(s.all) > 0 {
		err := s.all[0].next(r)
		if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		s.all = s.all[1:]
	}
	return io.EOF
}

// unescape reads the escapes \t \n \r \0 \\ and \xNN of a delimiter.
func unescape(s string) ([]byte, error) {
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		if i == len(s) {
			return nil, fmt.Errorf("%q ends within an escape", s)
		}
		switch s[i] {
		case 't':
			out = append(out, '\t')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case '0':
			out = append(out, 0)
		case '\\':
			out = append(out, '\\')
		case 'x':
			var b byte
			if i+2 >= len(s) {
				return nil, fmt.Errorf("%q ends within an escape", s)
			}
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02x", &b); err != nil {
				return nil, fmt.Errorf("%q: \\x wants two hexadecimal digits", s)
			}
			out = append(out, b)
			i += 2
		default:
			return nil, fmt.Errorf(`%q: there is no escape \%c, only \t \n \r \0 \\ \xNN`, s, s[i])
		}
	}
	return out, nil
}
