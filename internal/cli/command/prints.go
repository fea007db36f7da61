package command

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Document is one kind of thing that a command prints. Without a plural it is an object; without a kind, lines alone.
type Document struct {
	kind   string
	plural string
	row    func() *schema
	shapes []string
}

// ListOf is what [List] prints of rows of type T.
func ListOf[T any](kind, plural string) Document {
	return Document{kind, plural, rowSchema[T](), shapeWords}
}

// ObjectOf is what [App.Object] prints of a T.
func ObjectOf[T any](kind string) Document {
	shapes := slices.DeleteFunc(slices.Clone(shapeWords), func(w string) bool { return w == "csv" || w == "name" })
	return Document{kind, "", rowSchema[T](), shapes}
}

// StreamOf is what a command prints that does not know its end: a line for each T, or one object that holds them all.
func StreamOf[T any](kind, plural string) Document {
	return Document{kind, plural, rowSchema[T](), []string{"table", "json", "jsonl", "yaml", "template", "schema"}}
}

// LinesOf is a line of JSON for each T and nothing else.
func LinesOf[T any]() Document {
	return Document{"", "", rowSchema[T](), []string{"table", "jsonl", "schema"}}
}

// Prints says what cmd prints: -o schema shows it, and a shape that none of the documents has is refused. It returns cmd.
func (a *App) Prints(cmd *cobra.Command, documents ...Document) *cobra.Command {
	a.printed[cmd] = append(a.printed[cmd], documents...)
	return cmd
}

// Schema is the JSON Schema of all that cmd prints, indented; nil when cmd has not said.
func (a *App) Schema(cmd *cobra.Command) []byte {
	var all []*schema
	for _, d := range a.printed[cmd] {
		all = append(all, d.schema())
	}
	if len(all) == 0 {
		return nil
	}
	s := all[0]
	if len(all) > 1 {
		s = &schema{AnyOf: all}
	}
	s.Dialect = "https://json-schema.org/draft/2020-12/schema"
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // it is made of strings and lists
	}
	return append(text, '\n')
}

// fields are the names of all fields that the running command may print, at any depth; none where a field's name may be anything.
func (a *App) fields() []string {
	var names []string
	free := false
	var add func(*schema)
	add = func(s *schema) {
		if s == nil {
			return
		}
		free = free || s.Values != nil
		for _, p := range s.Properties {
			names = append(names, p.name)
			add(p.is)
		}
		add(s.Items)
	}
	for _, d := range a.printed[a.running] {
		add(d.schema())
	}
	if free {
		return nil
	}
	return names
}

func (d Document) schema() *schema {
	s := d.row()
	if d.plural != "" {
		s = &schema{Type: "object", Properties: properties{{d.plural, &schema{Type: "array", Items: s}}}, Required: []string{d.plural}}
	}
	if d.kind == "" {
		return s
	}
	s.Title = d.kind
	s.Properties = append(properties{{"kind", &schema{Const: d.kind}}, {"version", &schema{Const: 1}}}, s.Properties...)
	s.Required = append([]string{"kind", "version"}, s.Required...)
	return s
}

// plan is what a dry run prints.
type plan struct {
	Steps []string `json:"steps"`
}

// Finish makes every command below root that has -o answer -o schema, without arguments and without a server, and refuse
// shapes that it does not have, and offers the values of all flags. Call it when the tree is whole.
func (a *App) Finish(root *cobra.Command) {
	a.completeFlags(root)
	root.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() == "int32Slice" && f.DefValue == "[]" {
			f.DefValue = "" // the help would tell of it as a default, as of no other list
		}
	})
	for _, c := range root.Commands() {
		a.Finish(c)
		if c.RunE == nil || c.HasSubCommands() || c.DisableFlagParsing || a.output(c) == nil {
			continue
		}
		if c.Flags().Lookup("yes") != nil && !slices.ContainsFunc(a.printed[c], Document.isPlan) {
			a.Prints(c, PlanOf())
		}
		if has := a.shapesOf(c); len(has) > 0 {
			a.output(c).Usage = "`SHAPE` of the output: " + strings.ReplaceAll(strings.Join(has, ", "), "template", "template=TEXT") + "; schema describes it"
		}
		run, args := c.RunE, c.Args
		c.Args = func(c *cobra.Command, given []string) error {
			if a.Output.word == "schema" || args == nil {
				return nil
			}
			return args(c, given)
		}
		c.RunE = func(c *cobra.Command, given []string) error {
			if a.Output.word == "schema" {
				_, err := a.Out.Write(a.Schema(c))
				return err
			}
			if err := a.checkShape(c); err != nil {
				return err
			}
			a.running = c
			return run(c, given)
		}
	}
}

// PlanOf is what a dry run prints. Commands with --yes have it anyway.
func PlanOf() Document { return ObjectOf[plan]("Plan") }

// isPlan reports whether the document is what a dry run prints.
func (d Document) isPlan() bool { return strings.HasSuffix(d.kind, "Plan") }

// output is the flag -o of a command, nil if it has none.
func (a *App) output(c *cobra.Command) *pflag.Flag {
	if f := c.Flags().Lookup("output"); f != nil {
		return f
	}
	return c.InheritedFlags().Lookup("output")
}

// shapesOf are the shapes that a command has, in the order in which people are told; none where it has not said.
func (a *App) shapesOf(c *cobra.Command) []string {
	return slices.DeleteFunc(slices.Clone(shapeWords), func(w string) bool {
		return !slices.ContainsFunc(a.printed[c], func(d Document) bool { return slices.Contains(d.shapes, w) })
	})
}

func (a *App) checkShape(c *cobra.Command) error {
	has := a.shapesOf(c)
	if len(has) == 0 || slices.Contains(has, a.Output.word) {
		return nil
	}
	e := Usagef("%s has no -o %s", c.CommandPath(), a.Output.word)
	e.Hint = "it has " + strings.Join(has, ", ")
	return e
}
