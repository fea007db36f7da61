package command

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/pflag"
)

// Shape is the value of -o.
type Shape struct {
	// Value is what a command must print: "table" for a person, "json" for one [App.Object], "jsonl" for lines, or a shape that
	// only [List] knows ("csv", "name"). "wide" is a table, "yaml" an object; of "template" a list is lines, all else an object.
	Value    string
	word     string // the shape itself
	given    string
	template *template.Template
}

// shapes are all the words that -o takes, with what Value is for them.
var shapes = map[string]string{
	"table": "table", "wide": "table", "json": "json", "jsonl": "jsonl", "yaml": "json", "csv": "csv", "name": "name",
	"template": "json", "schema": "table",
}

// shapeWords are those in the order in which people are told.
var shapeWords = []string{"table", "wide", "json", "jsonl", "yaml", "csv", "name", "template", "schema"}

func newShape() Shape { return Shape{Value: "table", word: "table", given: "table"} }

// String returns what was given.
func (s *Shape) String() string { return s.given }

// Type is what the help shows as the flag's argument.
func (s *Shape) Type() string { return "SHAPE" }

// Wide reports whether a person wants all that there is.
func (s *Shape) Wide() bool { return s.word == "wide" }

// Set refuses a word that is no shape and a template that can't be read.
func (s *Shape) Set(given string) error {
	word, text, templated := strings.Cut(given, "=")
	value, known := shapes[word]
	switch {
	case !known || templated && word != "template":
		words := OneOf{words: slices.Clone(shapeWords)}
		return words.Set(given)
	case word == "template" && text == "":
		return fmt.Errorf("want template=TEXT, such as template='{{.name}}'")
	case word == "template":
		t, err := template.New("-o").Funcs(template.FuncMap{"json": toText, "join": join}).Parse(text)
		if err != nil {
			return fmt.Errorf("this template can't be read: %w", err)
		}
		s.template = t
	}
	s.Value, s.word, s.given = value, word, given
	return nil
}

// absent is how a template says that an object has no such field.
var absent = regexp.MustCompile(`map has no entry for key "(.*)"`)

// execute runs the template over a document. A field that the document leaves out has no value if it is one of fields, and is a mistake
// if it is none; of no fields nothing is known.
func (s *Shape) execute(document any, fields func() []string) (string, error) {
	const hint = "-o schema shows the fields, -o json what they hold"
	var b strings.Builder
	err := s.template.Option("missingkey=error").Execute(&b, document)
	if err == nil {
		return b.String(), nil
	}
	if found := absent.FindStringSubmatch(err.Error()); found != nil {
		if names := fields(); len(names) > 0 && !slices.Contains(names, found[1]) {
			e := Usagef("-o template: there is no field %q", found[1])
			e.Hint = cmp.Or(DidYouMean(found[1], names), hint)
			return "", e
		}
		b.Reset()
		err = s.template.Option("missingkey=default").Execute(&b, document)
	}
	if err != nil {
		return "", &Error{What: "-o template", Err: err, Exit: Usage, Hint: hint}
	}
	return b.String(), nil
}

// toText is a template's {{json .}}.
func toText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// join is a template's {{join "," .replicas}}.
func join(sep string, list []any) string {
	var s []string
	for _, v := range list {
		s = append(s, fmt.Sprint(v))
	}
	return strings.Join(s, sep)
}

// OutputFlags adds -o.
func (a *App) OutputFlags(f *pflag.FlagSet) {
	f.VarP(&a.Output, "output", "o", "`SHAPE` of the output") // [App.Finish] says which the command has
}
