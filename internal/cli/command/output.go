package command

import (
	"bufio"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// output is standard output: buffered, and it remembers its first error, after which nothing more is worth doing.
type output struct {
	w   io.Writer
	buf *bufio.Writer
	Err error
}

// Write buffers p.
func (o *output) Write(p []byte) (int, error) {
	if o.Err != nil {
		return 0, o.Err
	}
	if o.buf == nil {
		o.buf = bufio.NewWriterSize(o.w, 64<<10)
	}
	n, err := o.buf.Write(p)
	o.Err = err
	return n, err
}

// Flush writes what is buffered.
func (o *output) Flush() error {
	if o.Err == nil && o.buf != nil {
		o.Err = o.buf.Flush()
	}
	return o.Err
}

// OutputFlags adds -o.
func (a *App) OutputFlags(f *pflag.FlagSet) {
	f.VarP(&a.Output, "output", "o", "shape of the output")
}

// Column is one column of a table of T.
type Column[T any] struct {
	Name  string
	Value func(T) string
	// Number is right-aligned.
	Number bool
}

// List prints rows: as a table, as one JSON object whose key plural holds them all, or as a JSON line each. A
// person is told that there are none, on standard error.
func List[T any](a *App, kind, plural string, rows []T, columns []Column[T]) error {
	switch a.Output.Value {
	case "json":
		return a.Object(kind, map[string][]T{plural: OrNone(rows)})
	case "jsonl":
		for _, r := range rows {
			if err := Encode(a.Out, r); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 0 {
		a.Notice("no %s", plural)
	}
	return a.Table(TableOf(rows, columns))
}

// OrNone makes of a list that was never made an empty one, which JSON shows as [] and not as null.
func OrNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Object prints v, which must be a JSON object, as one with "kind" and "version" before its own fields.
func (a *App) Object(kind string, v any) error {
	var b strings.Builder
	if err := Encode(&b, v); err != nil {
		return err
	}
	name, err := json.Marshal(kind)
	if err != nil {
		return err
	}
	sep := ","
	if strings.TrimSpace(b.String()) == "{}" {
		sep = ""
	}
	_, err = io.WriteString(a.Out, `{"kind":`+string(name)+`,"version":1`+sep+b.String()[1:])
	return err
}

// table is text in rows and columns, the first row being the head.
type table struct {
	cells  [][]string
	number []bool // by column
}

// TableOf makes a table of rows. A column that has nothing to say of any row is left out.
func TableOf[T any](rows []T, columns []Column[T]) table {
	var t table
	if len(rows) > 0 {
		columns = slices.DeleteFunc(slices.Clone(columns), func(c Column[T]) bool {
			return !slices.ContainsFunc(rows, func(r T) bool { return c.Value(r) != "" })
		})
	}
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = c.Name
		t.number = append(t.number, c.Number)
	}
	t.cells = append(t.cells, head)
	for _, r := range rows {
		line := make([]string, len(columns))
		for i, c := range columns {
			line[i] = c.Value(r)
		}
		t.cells = append(t.cells, line)
	}
	return t
}

// gap stands between two columns.
const gap = "  "

// narrowest is what a column may shrink to on a narrow terminal.
const narrowest = 8

// widths returns the columns' widths, shrunk from the widest downwards until they fit into limit (0: no limit).
func (t table) widths(limit int) []int {
	w := make([]int, len(t.number))
	total := len(gap) * (len(w) - 1)
	for i := range w {
		for _, row := range t.cells {
			w[i] = max(w[i], utf8.RuneCountInString(row[i]))
		}
		total += w[i]
	}
	for limit > 0 && total > limit {
		widest := 0
		for i := range w {
			if w[i] > w[widest] {
				widest = i
			}
		}
		if w[widest] <= narrowest {
			break
		}
		w[widest]--
		total--
	}
	return w
}

// Table prints t. Only on a terminal is anything cut to fit or coloured: what goes to a pipe is whole.
func (a *App) Table(t table) error {
	limit := 0
	if a.World.OutTTY {
		limit = a.World.Width
	}
	w := t.widths(limit)
	for i, row := range t.cells {
		line := t.line(row, w)
		if i == 0 && a.Colours(a.World.OutTTY) {
			line = "\x1b[1m" + line + "\x1b[0m"
		}
		if _, err := io.WriteString(a.Out, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func (t table) line(row []string, w []int) string {
	var b strings.Builder
	for i, cell := range row {
		if i > 0 {
			b.WriteString(gap)
		}
		n := utf8.RuneCountInString(cell)
		if n > w[i] {
			cell = string([]rune(cell)[:w[i]-1]) + "…"
			n = w[i]
		}
		pad := strings.Repeat(" ", w[i]-n)
		if t.number[i] {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}
