package command

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
)

// Stream prints things one by one as they come, in the shape that -o asks for: what [StreamOf] describes. For a person the caller
// prints them itself, when [Stream.ForPeople] says so.
type Stream struct {
	app          *App
	kind, plural string
	printed      bool
}

// Stream begins to print things of a kind, which plural names where one object holds them all.
func (a *App) Stream(kind, plural string) (*Stream, error) {
	s := &Stream{app: a, kind: kind, plural: plural}
	switch a.Output.word {
	case "json":
		_, err := fmt.Fprintf(a.Out, `{"kind":%q,"version":1,%q:[`, kind, plural)
		return s, err
	case "yaml":
		_, err := fmt.Fprintf(a.Out, "kind: %s\nversion: 1\n%s:", kind, plural)
		return s, err
	}
	return s, nil
}

// ForPeople reports whether no shape was asked for.
func (s *Stream) ForPeople() bool { return s.app.Output.Value == "table" }

// Print prints v, which must be an object.
func (s *Stream) Print(v any) error {
	first := !s.printed
	s.printed = true
	switch s.app.Output.word {
	case "json", "yaml":
	default:
		return s.app.line(v)
	}
	var b bytes.Buffer
	if err := Encode(&b, v); err != nil {
		return err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if s.app.Output.word == "json" {
		if !first {
			text = append([]byte(","), text...)
		}
		_, err := s.app.Out.Write(text)
		return err
	}
	item, err := yaml.JSONToYAML(text)
	if err != nil {
		return fmt.Errorf("-o yaml: %w", err)
	}
	begin := "- "
	if first {
		begin = "\n- "
	}
	_, err = io.WriteString(s.app.Out, begin+strings.ReplaceAll(strings.TrimSuffix(string(item), "\n"), "\n", "\n  ")+"\n")
	return err
}

// End prints what comes after the last one.
func (s *Stream) End() error {
	var end string
	switch {
	case s.app.Output.word == "json":
		end = "]}\n"
	case s.app.Output.word == "yaml" && !s.printed:
		end = " []\n"
	}
	_, err := io.WriteString(s.app.Out, end)
	return err
}
