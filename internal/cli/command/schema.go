package command

import (
	"encoding"
	"encoding/json"
	"reflect" //nolint:depguard // a schema says what encoding/json makes of the types, which it finds out by reflection
	"slices"
	"strings"
	"time"
)

// schema is a JSON Schema, as much of it as describes Go's types.
type schema struct {
	Dialect    string     `json:"$schema,omitempty"`
	Title      string     `json:"title,omitempty"`
	AnyOf      []*schema  `json:"anyOf,omitempty"`
	Type       any        `json:"type,omitempty"` // a word or, of what may be null, two
	Const      any        `json:"const,omitempty"`
	Format     string     `json:"format,omitempty"`
	Encoding   string     `json:"contentEncoding,omitempty"`
	Properties properties `json:"properties,omitempty"`
	Required   []string   `json:"required,omitempty"`
	Items      *schema    `json:"items,omitempty"`
	Values     *schema    `json:"additionalProperties,omitempty"`
}

// property is a field of an object.
type property struct {
	name string
	is   *schema
}

// properties are fields in the order in which they are printed.
type properties []property

// MarshalJSON writes an object whose keys keep their order.
func (p properties) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range p {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(one.name)
		if err != nil {
			return nil, err
		}
		is, err := json.Marshal(one.is)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), is...)
	}
	return append(b, '}'), nil
}

var (
	timeType      = reflect.TypeFor[time.Time]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
)

// rowSchema describes a T, when it is asked to: most commands never are.
func rowSchema[T any]() func() *schema {
	return func() *schema { return schemaOf(reflect.TypeFor[T]()) }
}

// schemaOf describes what encoding/json makes of a value of type t. within are the structs that t is inside of: one that
// holds itself is described once.
func schemaOf(t reflect.Type, within ...reflect.Type) *schema {
	switch {
	case t == timeType:
		return &schema{Type: "string", Format: "date-time"}
	case t.Implements(jsonMarshaler):
		return &schema{}
	case t.Implements(textMarshaler):
		return &schema{Type: "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &schema{Type: "integer"}
	case reflect.Float32, reflect.Float64:
		return &schema{Type: "number"}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Pointer:
		return orNull(schemaOf(t.Elem(), within...))
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return &schema{Type: "string", Encoding: "base64"}
		}
		return &schema{Type: "array", Items: schemaOf(t.Elem(), within...)}
	case reflect.Map:
		return &schema{Type: "object", Values: schemaOf(t.Elem(), within...)}
	case reflect.Struct:
		return structSchema(t, within)
	default:
		return &schema{} // anything
	}
}

func orNull(s *schema) *schema {
	if word, ok := s.Type.(string); ok {
		s.Type = []string{word, "null"}
	}
	return s
}

func structSchema(t reflect.Type, within []reflect.Type) *schema {
	s := &schema{Type: "object"}
	if slices.Contains(within, t) {
		return s
	}
	within = append(within[:len(within):len(within)], t)
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct: // its fields stand beside ours
			inner := structSchema(f.Type, within)
			s.Properties, s.Required = append(s.Properties, inner.Properties...), append(s.Required, inner.Required...)
		case f.IsExported() && tag != "-":
			s.add(f, tag, strings.Contains(options, "omit"), within)
		}
	}
	return s
}

// add describes a field, which is left out when empty if omitted is true.
func (s *schema) add(f reflect.StructField, name string, omitted bool, within []reflect.Type) {
	if name == "" {
		name = f.Name
	}
	is := schemaOf(f.Type, within...)
	if !omitted {
		s.Required = append(s.Required, name)
	} else if f.Type.Kind() == reflect.Pointer {
		is = schemaOf(f.Type.Elem(), within...) // null is left out
	}
	s.Properties = append(s.Properties, property{name, is})
}
