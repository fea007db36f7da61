package command

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/goccy/go-yaml"
)

// output is standard output: buffered, and it remembers its first error, after which nothing more is worth doing.
type output struct {
	w   io.Writer
	buf *bufio.Writer
	err error

	unread atomic.Bool // its reader is gone
}

// Err is the first error of writing, which is EPIPE when nobody reads what is written.
func (o *output) Err() error {
	if o.err == nil && o.unread.Load() {
		return syscall.EPIPE
	}
	return o.err
}

// Write buffers p.
func (o *output) Write(p []byte) (int, error) {
	if err := o.Err(); err != nil {
		return 0, err
	}
	if o.buf == nil {
		o.buf = bufio.NewWriterSize(o.w, 64<<10)
	}
	n, err := o.buf.Write(p)
	o.err = err
	return n, err
}

// Flush writes what is buffered.
func (o *output) Flush() error {
	if o.Err() == nil && o.buf != nil {
		o.err = o.buf.Flush()
	}
	return o.Err()
}

// Column is one column of a table of T.
type Column[T any] struct {
	Name  string
	Value func(T) string
	// Number is right-aligned.
	Number bool
	// Wide is shown by -o wide and -o csv only.
	Wide bool
}

// List prints rows in the shape that -o asks for: as a table, as one JSON object whose key plural holds them all, as a JSON line
// each, and so on. A person is told that there are none, on standard error. The first column is what -o name prints.
func List[T any](a *App, kind, plural string, rows []T, columns []Column[T]) error {
	return ListBy(a, kind, plural, rows, columns, func(rows []T) error {
		if len(rows) == 0 {
			a.Notice("no %s", plural)
		}
		return a.Table(TableOf(rows, columns))
	})
}

// ListBy is [List] with a picture of its own for a person, in place of a table.
func ListBy[T any](a *App, kind, plural string, rows []T, columns []Column[T], people func([]T) error) error {
	switch a.Output.word {
	case "json", "yaml":
		return a.Object(kind, map[string][]T{plural: OrNone(rows)})
	case "jsonl", "template":
		for _, r := range rows {
			if err := a.line(r); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		return printCSV(a, rows, columns)
	case "name":
		for _, r := range rows {
			fmt.Fprintln(a.Out, columns[0].Value(r))
		}
		return a.Out.Err()
	}
	return people(rows)
}

// line prints one thing of many: as a line of JSON, or by the user's template.
func (a *App) line(v any) error {
	if a.Output.word != "template" {
		return Encode(a.Out, v)
	}
	var b bytes.Buffer
	if err := Encode(&b, v); err != nil {
		return err
	}
	return a.byTemplate(b.Bytes())
}

// byTemplate runs the user's template over a document, and ends its line.
func (a *App) byTemplate(document []byte) error {
	var v any
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber() // an offset stays one
	if err := d.Decode(&v); err != nil {
		return err
	}
	text, err := a.Output.execute(v, a.fields)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, strings.TrimSuffix(text, "\n")+"\n")
	return err
}

// printCSV prints all columns, empty ones too: where a field stands must not depend on what is in the others.
func printCSV[T any](a *App, rows []T, columns []Column[T]) error {
	w := csv.NewWriter(a.Out)
	line := make([]string, len(columns))
	for i, c := range columns {
		line[i] = c.Name
	}
	_ = w.Write(line) // its error comes up at the end
	for _, r := range rows {
		for i, c := range columns {
			line[i] = c.Value(r)
			if c.Number && line[i] == "-" {
				line[i] = "" // no number
			}
		}
		_ = w.Write(line)
	}
	w.Flush()
	return w.Error()
}

// OrNone makes of a list that was never made an empty one, which JSON shows as [] and not as null.
func OrNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Object prints v, which must be a JSON object, as one with "kind" and "version" before its own fields: as JSON, as YAML, or by
// the user's template.
func (a *App) Object(kind string, v any) error {
	document, err := document(kind, v)
	if err != nil {
		return err
	}
	if a.World.Proof != nil {
		if err := a.World.Proof(a.Schema(a.running), document); err != nil {
			return err
		}
	}
	switch a.Output.word {
	case "yaml":
		if document, err = yaml.JSONToYAML(document); err != nil {
			return fmt.Errorf("-o yaml: %w", err)
		}
	case "template":
		return a.byTemplate(document)
	}
	_, err = a.Out.Write(document)
	return err
}

// document is v as a line of JSON that begins with its kind and version.
func document(kind string, v any) ([]byte, error) {
	var b strings.Builder
	if err := Encode(&b, v); err != nil {
		return nil, err
	}
	name, err := json.Marshal(kind)
	if err != nil {
		return nil, err
	}
	sep := ","
	if strings.TrimSpace(b.String()) == "{}" {
		sep = ""
	}
	return []byte(`{"kind":` + string(name) + `,"version":1` + sep + b.String()[1:]), nil
}
