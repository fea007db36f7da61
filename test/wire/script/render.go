package script

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// renderer writes answers of one node as lines. Symbols live for one case.
type renderer struct {
	api     int16
	control bool // controller listener
	clean   func(string) string
	ports   map[int64]string
	topics  map[[16]byte]string
	keep    func(topic string) bool // nil: every topic
	symbols map[string]map[string]string
	lines   []string
}

// Answer renders a decoded answer.
func (r *renderer) answer(resp kmsg.Response) []string {
	r.lines = nil
	r.fields("", reflect.ValueOf(resp).Elem())
	if len(r.lines) == 0 {
		return []string{"defaults only"}
	}
	return r.lines
}

func (r *renderer) line(path, value string) { r.lines = append(r.lines, path+": "+value) }

func (r *renderer) fields(prefix string, v reflect.Value) {
	standard := reflect.New(v.Type())
	if d, ok := standard.Interface().(interface{ Default() }); ok {
		d.Default()
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch name {
		case "Version":
			continue
		case "UnknownTags":
			if n := v.Field(i).Addr().Interface().(*kmsg.Tags).Len(); n > 0 {
				r.line(prefix+"tags", strconv.Itoa(n))
			}
			continue
		}
		r.field(prefix+name, name, v.Field(i), standard.Elem().Field(i))
	}
}

func (r *renderer) field(path, name string, v, standard reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		r.fields(path+".", v)
		return
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			r.bytes(path, name, v)
			return
		}
		r.slice(path, name, v)
		return
	case reflect.Pointer:
		if v.IsNil() {
			if !standard.IsNil() {
				r.line(path, "null")
			}
			return
		}
		if v.Elem().Kind() == reflect.Struct {
			before := len(r.lines)
			if r.fields(path+".", v.Elem()); len(r.lines) == before {
				r.line(path, "{}")
			}
			return
		}
		r.line(path, r.scalar(name, v.Elem()))
		return
	}
	if v.Interface() != standard.Interface() {
		r.line(path, r.scalar(name, v))
	}
}

func (r *renderer) treatment(name string) treatment {
	keyed := strconv.Itoa(int(r.api)) + "." + name
	if r.control {
		if t, ok := controllerTreatments[keyed]; ok {
			return t
		}
	}
	if t, ok := treatments[keyed]; ok {
		return t
	}
	if t, ok := treatments["."+name]; ok {
		return t
	}
	return exact
}

func (r *renderer) scalar(name string, v reflect.Value) string {
	t := r.treatment(name)
	switch v.Kind() {
	case reflect.String:
		if t == presence {
			return "present"
		}
		return strconv.Quote(r.clean(v.String()))
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Array:
		return r.uuid(name, [16]byte(v.Interface().([16]byte)))
	case reflect.Uint16:
		return r.number(name, t, int64(v.Uint()))
	}
	if strings.HasSuffix(name, "ErrorCode") {
		return errorName(int16(v.Int()))
	}
	return r.number(name, t, v.Int())
}

func errorName(code int16) string {
	if code == 0 {
		return "0"
	}
	if e, ok := kerr.ErrorForCode(code).(*kerr.Error); ok && e.Code == code {
		return e.Message
	}
	return strconv.Itoa(int(code))
}

func (r *renderer) number(name string, t treatment, n int64) string {
	s := strconv.FormatInt(n, 10)
	switch t {
	case some:
		if n >= 0 {
			return "<n>"
		}
	case clock:
		return nearNow(s)
	case symbol:
		if n > 0 || n == 0 && name == "ProducerID" {
			return r.symbol(name, s)
		}
	case port:
		if p, ok := r.ports[n]; ok {
			return p
		}
	}
	return s
}

// symbol numbers the values of a field by first appearance within the case.
func (r *renderer) symbol(name, value string) string {
	if r.symbols[name] == nil {
		r.symbols[name] = map[string]string{}
	}
	m := r.symbols[name]
	if m[value] == "" {
		m[value] = fmt.Sprintf("<%s#%d>", name, len(m)+1)
	}
	return m[value]
}

func (r *renderer) uuid(name string, id [16]byte) string {
	switch {
	case id == [16]byte{}:
		return "zero"
	case id == strangeID:
		return "id(nobody's)"
	case id == metadataTopicID:
		return "id(metadata)"
	}
	if t, ok := r.topics[id]; ok {
		return "id(" + r.clean(t) + ")"
	}
	return r.symbol(name, hex.EncodeToString(id[:]))
}

func (r *renderer) bytes(path, name string, v reflect.Value) {
	switch t := r.treatment(name); {
	case v.IsNil():
	case t == presence:
		r.line(path, map[bool]string{true: "present", false: "empty"}[v.Len() > 0])
	case t == batches:
		for i, l := range r.batches(v.Bytes()) {
			r.line(fmt.Sprintf("%s[%d]", path, i), l)
		}
		if v.Len() == 0 {
			r.line(path, "empty")
		}
	case t == text:
		if v.Len() > 0 {
			r.line(path, strconv.Quote(r.clean(string(v.Bytes()))))
		}
	default:
		r.line(path, hex.EncodeToString(v.Bytes()))
	}
}

// flatten joins the lines of an element without arrays within into one, and
// leaves the field out that is the element's key.
func (r *renderer) flatten(from int, path, key string) {
	var parts, kept []string
	flat := true
	for _, l := range r.lines[from:] {
		field, value, _ := strings.Cut(strings.TrimPrefix(l, path+"."), ": ")
		if field == key {
			continue
		}
		flat = flat && !strings.Contains(field, "[")
		parts = append(parts, field+"="+value)
		kept = append(kept, l)
	}
	if r.lines = append(r.lines[:from], kept...); flat {
		r.lines = r.lines[:from]
		r.line(path, "{"+strings.Join(parts, " ")+"}")
	}
}

// element is one member of an array with its key, which is in field.
type element struct {
	key, field string
	v          reflect.Value
}

func (r *renderer) slice(path, name string, v reflect.Value) {
	if v.IsNil() {
		return
	}
	if v.Len() == 0 {
		r.line(path, "[]")
		return
	}
	if v.Type().Elem().Kind() != reflect.Struct {
		var parts []string
		for i := range v.Len() {
			parts = append(parts, r.scalar(name, v.Index(i)))
		}
		if r.treatment(name) == unordered {
			slices.Sort(parts)
		}
		r.line(path, "["+strings.Join(parts, ",")+"]")
		return
	}
	es := r.elements(v)
	if len(es) == 0 && r.treatment(name) != ownOnly {
		r.line(path, "others only")
	}
	seen := map[string]int{}
	for _, e := range es {
		p := path + "[" + e.key + "]"
		if seen[e.key]++; seen[e.key] > 1 {
			p += "#" + strconv.Itoa(seen[e.key])
		}
		before := len(r.lines)
		r.fields(p+".", e.v)
		r.flatten(before, p, e.field)
	}
}

// foreign matches the names of topics that other cases made.
var foreign = regexp.MustCompile(`^(x[bc]\d+-\d+v\d+-|wire-barrier$)`)

// elements gives an array's members sorted by key, without other cases' topics.
func (r *renderer) elements(v reflect.Value) []element {
	var out []element
	for i := range v.Len() {
		key, field, raw := r.key(v.Index(i), i)
		if r.keep != nil && !r.keep(raw) {
			continue
		}
		out = append(out, element{key, field, v.Index(i)})
	}
	slices.SortStableFunc(out, func(a, b element) int {
		na, ea := strconv.Atoi(a.key)
		nb, eb := strconv.Atoi(b.key)
		if ea == nil && eb == nil {
			return cmp.Compare(na, nb)
		}
		return cmp.Compare(a.key, b.key)
	})
	return out
}

// key names an array's element by one of its fields; raw is a topic's own name.
func (r *renderer) key(v reflect.Value, index int) (key, field, raw string) {
	for _, name := range keyFields {
		f := v.FieldByName(name)
		if !f.IsValid() || f.Kind() == reflect.Pointer && f.IsNil() || name == "TopicID" && f.IsZero() {
			continue
		}
		if f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		if f.Kind() != reflect.String {
			key := r.scalar(name, f)
			if id, ok := f.Interface().([16]byte); ok {
				raw = r.topics[id]
			}
			return key, name, raw
		}
		if f.Len() == 0 && v.FieldByName("TopicID").IsValid() && !v.FieldByName("TopicID").IsZero() {
			continue
		}
		key = r.clean(f.String())
		for _, kind := range []string{"ResourceType", "Type"} {
			if t := v.FieldByName(kind); t.IsValid() {
				key = fmt.Sprint(t.Int(), " ", key)
			}
		}
		return fieldKey(key), name, f.String()
	}
	return strconv.Itoa(index), "", ""
}

// fieldKey makes any text fit for a path.
func fieldKey(s string) string {
	if q := strconv.Quote(s); s == "" || len(q) != len(s)+2 || strings.Contains(s, ": ") {
		return strings.ReplaceAll(q, ": ", ":\\x20")
	}
	return s
}
