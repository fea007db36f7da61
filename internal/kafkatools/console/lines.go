package console

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafkatools/java"
)

// LineReader makes a record of each line.
type LineReader struct {
	parseKey, parseHeaders, ignoreError bool

	keySeparator, headersDelimiter, headerKeySeparator string
	headersSeparator                                   *regexp.Regexp
	// marker stands for null where marked is set.
	marker string
	marked bool

	in    *bufio.Reader
	long  []byte // a line that is longer than in's buffer
	line  int
	wasCR bool
}

// NewLineReader returns a reader of in with the properties of Apache's LineMessageReader; others are ignored.
func NewLineReader(in io.Reader, props map[string]string) (*LineReader, error) {
	p := map[string]string{"key.separator": "\t", "headers.delimiter": "\t", "headers.separator": ",", "headers.key.separator": ":"}
	maps.Copy(p, props)
	r := &LineReader{
		parseKey: isTrue(p["parse.key"]), parseHeaders: isTrue(p["parse.headers"]), ignoreError: isTrue(p["ignore.error"]),
		keySeparator: p["key.separator"], headersDelimiter: p["headers.delimiter"], headerKeySeparator: p["headers.key.separator"],
		in: bufio.NewReaderSize(in, 64<<10),
	}
	var err error
	if r.headersSeparator, err = regexp.Compile(p["headers.separator"]); err != nil {
		return nil, fmt.Errorf("headers.separator: %w", err)
	}
	for _, pair := range [][2]string{
		{"headers.delimiter", "headers.separator"}, {"headers.delimiter", "headers.key.separator"}, {"headers.separator", "headers.key.separator"},
	} {
		if p[pair[0]] == p[pair[1]] {
			return nil, fmt.Errorf("%s and %s may not be equal", pair[0], pair[1])
		}
	}
	r.marker, r.marked = p["null.marker"]
	for _, name := range []string{"key.separator", "headers.separator", "headers.delimiter", "headers.key.separator"} {
		if r.marked && p[name] == r.marker {
			return nil, fmt.Errorf("null.marker and %s may not be equal", name)
		}
	}
	return r, nil
}

func isTrue(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "true") }

// Next returns the record of the next line; io.EOF at the end.
func (r *LineReader) Next() (*kgo.Record, error) {
	r.line++
	line, err := r.readLine()
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(line) {
		line = []byte(java.Text(line))
	}
	rest := line
	headers, hasHeaders, rest, err := r.cut(r.parseHeaders, line, rest, r.headersDelimiter, "headers delimiter")
	if err != nil {
		return nil, err
	}
	key, hasKey, rest, err := r.cut(r.parseKey, line, rest, r.keySeparator, "key separator")
	if err != nil {
		return nil, err
	}
	rec := &kgo.Record{}
	if hasKey && !r.isNull(key) {
		rec.Key = bytes.Clone(key)
	}
	if !r.isNull(rest) {
		rec.Value = append([]byte{}, rest...)
	}
	if hasHeaders && !r.isNull(headers) {
		rec.Headers, err = r.headers(string(headers))
	}
	return rec, err
}

// readLine ends a line at \n, \r or both, as Java does. What it returns is good until the next call.
func (r *LineReader) readLine() ([]byte, error) {
	r.long = r.long[:0]
	for {
		chunk, err := r.in.Peek(max(1, r.in.Buffered()))
		if len(chunk) == 0 {
			if len(r.long) > 0 {
				return r.long, nil
			}
			return nil, err
		}
		if r.wasCR {
			r.wasCR = false
			if chunk[0] == '\n' {
				r.discard(1)
				continue
			}
		}
		end := bytes.IndexAny(chunk, "\r\n")
		if end < 0 {
			r.long = append(r.long, chunk...)
			r.discard(len(chunk))
			if len(r.long) == 0 {
				return nil, io.ErrNoProgress
			}
			continue
		}
		r.wasCR = chunk[end] == '\r'
		r.long = append(r.long, chunk[:end]...)
		r.discard(end + 1)
		return r.long, nil
	}
}

// discard passes over bytes that are buffered.
func (r *LineReader) discard(n int) { _, _ = r.in.Discard(n) }

func (r *LineReader) isNull(b []byte) bool { return r.marked && string(b) == r.marker }

// cut takes what stands before the separator off rest.
func (r *LineReader) cut(wanted bool, line, rest []byte, separator, name string) (field []byte, found bool, _ []byte, err error) {
	if !wanted {
		return nil, false, rest, nil
	}
	field, after, found := bytes.Cut(rest, []byte(separator))
	switch {
	case found:
		return field, true, after, nil
	case r.ignoreError:
		return nil, false, rest, nil
	}
	return nil, false, nil, fmt.Errorf("No %s found on line number %d: '%s'", name, r.line, line)
}

func (r *LineReader) headers(text string) ([]kgo.RecordHeader, error) {
	var all []kgo.RecordHeader
	for _, pair := range split(r.headersSeparator, text) {
		key, value, found := strings.Cut(pair, r.headerKeySeparator)
		switch {
		case !found && r.ignoreError:
			all = append(all, kgo.RecordHeader{Key: pair})
			continue
		case !found:
			return nil, fmt.Errorf("No header key separator found in pair '%s' on line number %d", pair, r.line)
		case r.marked && key == r.marker:
			return nil, fmt.Errorf("Header keys should not be equal to the null marker '%s' as they can't be null", r.marker)
		}
		h := kgo.RecordHeader{Key: key}
		if !r.marked || value != r.marker {
			h.Value = []byte(value)
		}
		all = append(all, h)
	}
	return all, nil
}

// split is Java's: what would be empty at the end is left out, and a text without a separator is all there is.
func split(separator *regexp.Regexp, text string) []string {
	parts := separator.Split(text, -1)
	if len(parts) == 1 {
		return parts
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// ErrClass is wrapped by the error of a class that is not known here.
var ErrClass = errors.New("no such class")
