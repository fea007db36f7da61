package records

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// template writes a record by a format with % escapes: those of rpk, which franz-go knows, and those of kcat that differ.
type template []func([]byte, *kgo.FetchPartition, *kgo.Record) []byte

// kcatEscapes are the escapes that rpk has not, or not in this form. A %K and a %S of null are -1, as kcat prints them.
var kcatEscapes = map[byte]func([]byte, *kgo.Record) []byte{
	's': func(b []byte, r *kgo.Record) []byte { return append(b, r.Value...) },
	'S': func(b []byte, r *kgo.Record) []byte { return appendLength(b, r.Value) },
	'K': func(b []byte, r *kgo.Record) []byte { return appendLength(b, r.Key) },
	'T': func(b []byte, r *kgo.Record) []byte { return strconv.AppendInt(b, r.Timestamp.UnixMilli(), 10) },
	'R': func(b []byte, r *kgo.Record) []byte {
		n := uint32(len(r.Value))
		return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	},
	'h': appendHeaders,
}

func appendLength(b, field []byte) []byte {
	if field == nil {
		return append(b, "-1"...)
	}
	return strconv.AppendInt(b, int64(len(field)), 10)
}

func appendHeaders(b []byte, r *kgo.Record) []byte {
	for i, h := range r.Headers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, h.Key...), '=')
		if h.Value == nil {
			b = append(b, "NULL"...)
		}
		b = append(b, h.Value...)
	}
	return b
}

// newTemplate compiles a format. An escape followed by a brace is always rpk's.
func newTemplate(format string) (template, error) {
	var t template
	begin := 0 // of what franz-go is to compile
	compile := func(part string) error {
		if part == "" {
			return nil
		}
		f, err := kgo.NewRecordFormatter(part)
		if err != nil {
			return command.Usagef("--format %q: %v", format, err)
		}
		t = append(t, func(b []byte, p *kgo.FetchPartition, r *kgo.Record) []byte { return f.AppendPartitionRecord(b, p, r) })
		return nil
	}
	for i := 0; i < len(format); {
		switch format[i] {
		case '\\':
			i += 2
			continue
		case '%':
		default:
			i++
			continue
		}
		if i+1 == len(format) {
			break // franz-go will say so
		}
		if i+2 < len(format) && format[i+2] == '{' && format[i+1] != '%' {
			i = skipBraces(format, i+2)
			continue
		}
		write, ok := kcatEscapes[format[i+1]]
		if ok {
			if err := compile(format[begin:i]); err != nil {
				return nil, err
			}
			t = append(t, func(b []byte, _ *kgo.FetchPartition, r *kgo.Record) []byte { return write(b, r) })
			begin = i + 2
		}
		i += 2
	}
	return t, compile(format[begin:])
}

// skipBraces returns the index behind the braces that open at i. Within, braces nest.
func skipBraces(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return i
}

// append writes r, which came with p, to b.
func (t template) append(b []byte, p *kgo.FetchPartition, r *kgo.Record) []byte {
	for _, write := range t {
		b = write(b, p, r)
	}
	return b
}

// printer writes records in the chosen shape.
type printer struct {
	app      *command.App
	decoding *decoding
	template template
	progress *command.Progress
	buf      []byte
	stream   *command.Stream
	next     string // what may come after it, for a person
	silent   bool   // something else is printed in place of the records
	tame     bool   // control characters are shown as escapes: a terminal would obey them, and they come from whoever may produce
	// prefix, if set, is printed before each record; coloured by partition where colours says so.
	prefix  template
	colours bool
}

// newPrinter prints, and counts what was done to the records (verb), by format where -o does not ask for something else; other is the format when none is given.
func newPrinter(a *command.App, verb, format, other string, d *decoding) (*printer, error) {
	if a.Output.Value != "table" && format != "" {
		return nil, command.Usagef("--format and -o %s exclude each other", a.Output.Value)
	}
	tame := format == "" && a.World.OutTTY
	if format == "" {
		format = other
	}
	t, err := newTemplate(format)
	return &printer{app: a, decoding: d, template: t, tame: tame, progress: a.Progress(verb)}, err
}

func (p *printer) begin() (err error) {
	if !p.silent {
		p.stream, err = p.app.Stream("RecordList", "records")
	}
	return err
}

func (p *printer) end() error {
	if p.silent {
		return nil
	}
	return p.stream.End()
}

func (p *printer) print(part *kgo.FetchPartition, r *kgo.Record) error {
	p.decoding.check(r)
	if !p.stream.ForPeople() {
		return p.stream.Print(p.decoding.toJSON(r))
	}
	shown := p.decoding.shown(r)
	if p.tame {
		shown = tamed(shown)
	}
	p.buf = p.template.append(p.mark(p.buf[:0], part, r), part, shown)
	_, err := p.app.Out.Write(p.buf)
	return err
}

// tamed is r with the control characters of its key and value as escapes, but for the ends of lines and tabs.
func tamed(r *kgo.Record) *kgo.Record {
	if !slices.ContainsFunc(r.Key, wild) && !slices.ContainsFunc(r.Value, wild) {
		return r
	}
	shown := *r
	shown.Key, shown.Value = tame(r.Key), tame(r.Value)
	return &shown
}

// wild reports whether a byte is a control character, or may be part of one beyond ASCII.
func wild(b byte) bool { return b < ' ' && b != '\n' && b != '\t' || b == 0x7f || b == 0xc2 }

func tame(field []byte) []byte {
	out := field[:0:0] // null stays null
	for len(field) > 0 {
		r, n := utf8.DecodeRune(field)
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			quoted := strconv.QuoteRune(r)
			out = append(out, quoted[1:len(quoted)-1]...)
		} else {
			out = append(out, field[:n]...)
		}
		field = field[n:]
	}
	return out
}

// polled shows what was printed so far, also when nothing came.
func (p *printer) polled() error {
	err := p.app.Out.Flush()
	p.progress.Look()
	return err
}

// mark writes the prefix.
func (p *printer) mark(b []byte, part *kgo.FetchPartition, r *kgo.Record) []byte {
	if !p.colours {
		return p.prefix.append(b, part, r)
	}
	n := crc32.ChecksumIEEE([]byte(r.Topic)) + uint32(r.Partition)
	b = fmt.Appendf(b, "\x1b[%dm", 31+n%6)
	return append(p.prefix.append(b, part, r), "\x1b[0m"...)
}
