package records

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/cli/command"
)

// decoding is how keys and values are shown.
type decoding struct {
	key, value form
	// wrong counts what was not of the form: it is shown as it is.
	wrong int64
}

// form is one of "text" (as it is), "json" (checked, on one line; in JSON output a value of its own), "pretty" (the same over several
// lines), "hex", "base64".
type form struct{ command.OneOf }

func newDecoding() decoding {
	choice := func() form { return form{command.Choice("text", "json", "pretty", "hex", "base64")} }
	return decoding{key: choice(), value: choice()}
}

func (d *decoding) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(&d.value, "decode", "what values are shown as; -o json holds a value of json as it is")
	f.Var(&d.key, "decode-key", "what keys are shown as")
	command.CompleteFlags(cmd, map[string]*command.OneOf{"decode": &d.value.OneOf, "decode-key": &d.key.OneOf})
}

// plain reports whether nothing is to be done.
func (d *decoding) plain() bool { return d.key.Value == "text" && d.value.Value == "text" }

// shown is the record with key and value as they are to be shown by a template.
func (d *decoding) shown(r *kgo.Record) *kgo.Record {
	if d.plain() {
		return r
	}
	shown := *r
	shown.Key, shown.Value = d.key.text(r.Key), d.value.text(r.Value)
	return &shown
}

// check counts what is not of its form.
func (d *decoding) check(r *kgo.Record) {
	if d.key.wrong(r.Key) || d.value.wrong(r.Value) {
		d.wrong++
	}
}

func (f form) wrong(b []byte) bool {
	return b != nil && (f.Value == "json" || f.Value == "pretty") && !json.Valid(b)
}

func (f form) text(b []byte) []byte {
	if b == nil {
		return nil
	}
	var out bytes.Buffer
	switch f.Value {
	case "json":
		if json.Compact(&out, b) == nil {
			return out.Bytes()
		}
	case "pretty":
		if json.Indent(&out, b, "", "  ") == nil {
			return out.Bytes()
		}
	case "hex":
		return hex.AppendEncode(nil, b)
	case "base64":
		return base64.StdEncoding.AppendEncode(nil, b)
	}
	return b
}

// json returns b as it stands in JSON output, and its encoding.
func (f form) json(b []byte) (any, string) {
	switch f.Value {
	case "json", "pretty":
		if b != nil && !f.wrong(b) {
			return json.RawMessage(b), "json"
		}
	case "hex", "base64":
		if b != nil {
			return string(f.text(b)), f.Value
		}
	}
	return text(b)
}
