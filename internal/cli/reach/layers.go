package reach

import (
	"fmt"
	"strings"

	"github.com/ottla/ottla/internal/config"
)

// Value is a setting with where it comes from.
type Value struct {
	Key   Key
	Text  string
	Where string // "-X", "OTTLA_CLIENT_ID", "profile staging (/home/me/.config/ottla/config.yaml)", "default"
}

// Layer is the settings of one source.
type Layer struct {
	Where  string
	Values map[string]Value // by the key's name
}

// Settings are what all layers together say.
type Settings struct{ layers []Layer }

// Pair is a setting as it was given.
type Pair struct {
	Name, Value string
	Where       string // "" stands for that of the layer
}

// NewLayer checks what a source says. A strict one, such as the command line, has no name that we do not know.
func NewLayer(where string, strict bool, pairs []Pair) (Layer, error) {
	l := Layer{Where: where, Values: map[string]Value{}}
	for _, p := range pairs {
		if p.Where == "" {
			p.Where = where
		}
		k, known := Find(p.Name)
		if !known {
			if why := refusal(p.Name, strict); why != "" {
				return l, &Unknown{Name: p.Name, Where: p.Where, Why: why}
			}
			continue
		}
		text := strings.TrimSpace(p.Value)
		if err := k.Check(text); err != nil {
			return l, fmt.Errorf("%s: %w", p.Where, err)
		}
		l.Values[k.Name] = Value{Key: k, Text: text, Where: p.Where}
	}
	return l, nil
}

// Unknown is a setting that there is not.
type Unknown struct{ Name, Where, Why string }

// Error says which and why.
func (u *Unknown) Error() string { return u.Where + ": " + u.Why }

// Environment reads the variables OTTLA_*.
func Environment(getenv func(string) string) (Layer, error) {
	var pairs []Pair
	for _, k := range keys {
		if v := getenv(k.Variable()); v != "" {
			pairs = append(pairs, Pair{k.Name, v, k.Variable()})
		}
	}
	return NewLayer("environment", true, pairs)
}

// Properties reads a file of Java's format, such as an existing client.properties.
func Properties(file string, text []byte) ([]Pair, error) {
	all, err := config.ParseProperties(file, text)
	if err != nil {
		return nil, err
	}
	var pairs []Pair
	for _, p := range all {
		pairs = append(pairs, Pair{p.Key, p.Value, fmt.Sprintf("%s:%d", file, p.Line)})
	}
	return pairs, nil
}

// Resolve puts layers over one another, the first on top.
func Resolve(layers ...Layer) Settings { return Settings{layers} }

// Lookup returns the value of a key and whether any layer or the default has one.
func (s Settings) Lookup(name string) (Value, bool) {
	for _, l := range s.layers {
		if v, ok := l.Values[name]; ok {
			return v, true
		}
	}
	k, _ := Find(name)
	return Value{Key: k, Text: k.Default, Where: "default"}, k.Default != ""
}

// Source is who says the value of a key: "" for the command line, which needs no word, and for the default.
func (s Settings) Source(name string) string {
	switch v, _ := s.Lookup(name); v.Where {
	case "--bootstrap-server", "-X", "default":
		return ""
	default:
		return v.Where
	}
}

// Text is the value of a key, "" for none.
func (s Settings) Text(name string) string {
	v, _ := s.Lookup(name)
	return v.Text
}

// All are the settings that have a value, in the order of [Keys].
func (s Settings) All() []Value {
	var all []Value
	for _, k := range keys {
		if v, ok := s.Lookup(k.Name); ok {
			all = append(all, v)
		}
	}
	return all
}

// Shown is the value as a person may see it: a secret's reference, or that there is one.
func (v Value) Shown() string {
	if v.Key.Secret && !IsReference(v.Text) {
		return "(hidden)"
	}
	return v.Text
}
