package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Error is a refusal that a Kafka client sees: a code and a message, which are two fields of the answer. It unwraps
// to the code.
type Error struct {
	Code    *kerr.Error
	Message string
}

// Error returns the message alone, as the answer carries it.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

func refuse(code *kerr.Error, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// OpKind is what IncrementalAlterConfigs does to a key, with the bytes of the wire.
type OpKind int8

// The operations.
const (
	Set      OpKind = 0
	Delete   OpKind = 1
	Append   OpKind = 2
	Subtract OpKind = 3
)

// String returns Kafka's name of the operation.
func (o OpKind) String() string {
	if o < Set || o > Subtract {
		return fmt.Sprintf("UNKNOWN(%d)", int8(o))
	}
	return [...]string{"SET", "DELETE", "APPEND", "SUBTRACT"}[o]
}

// Op is one change of one key.
type Op struct {
	Kind OpKind
	Name string
	// Value is nil when the request has null; only Delete allows that.
	Value *string
}

// Incremental applies ops to stored (what is stored for the resource) and returns the new configuration of the
// resource; stored is not changed. It decides only how the operations combine; Validate… judges the result. Append
// and Subtract on a key that is not stored start from the key's default. The error is an *Error with INVALID_CONFIG
// or INVALID_REQUEST.
func Incremental(r Resource, stored map[string]string, ops []Op) (map[string]string, error) {
	result := maps.Clone(stored)
	if result == nil {
		result = map[string]string{}
	}
	seen := map[string]bool{}
	for _, o := range ops {
		if seen[o.Name] {
			return nil, refuse(kerr.InvalidRequest, "Error due to duplicate config keys")
		}
		seen[o.Name] = true
	}
	var nulls []string
	for _, o := range ops {
		if o.Value == nil && o.Kind != Delete {
			nulls = append(nulls, o.Name)
		}
	}
	if nulls != nil {
		return nil, refuse(kerr.InvalidRequest, "Null value not supported for : %s", strings.Join(nulls, ","))
	}
	for _, o := range ops {
		if err := apply(r, result, o); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func apply(r Resource, result map[string]string, o Op) error {
	switch o.Kind {
	case Set:
		result[o.Name] = *o.Value
	case Delete:
		delete(result, o.Name)
	case Append, Subtract:
		k, ok := Lookup(r, o.Name)
		if r == BrokerResource {
			if k, _, ok = lookupBroker(o.Name); !ok || k.Type != List {
				return refuse(kerr.InvalidConfig, "Config value %s is not allowed for config key: %s",
					strings.ToLower(o.Kind.String()), o.Name)
			}
		} else if !ok || k.Type != List || r == ClientMetricsResource {
			return refuse(kerr.InvalidConfig, "Can't %s to key %s because its type is not LIST.", o.Kind, o.Name)
		}
		old, set := result[o.Name]
		if !set {
			old = k.Default
		}
		result[o.Name] = combine(old, *o.Value, o.Kind)
	default:
		return refuse(kerr.InvalidRequest, "Unknown config operation %s", o.Kind)
	}
	return nil
}

// combine adds elements to a list or takes them away; blanks count, as in Kafka.
func combine(old, change string, kind OpKind) string {
	var parts []string
	for _, p := range strings.Split(old, ",") {
		if p != "" {
			parts = append(parts, p)
		}
	}
	for _, c := range strings.Split(strings.TrimRight(change, ","), ",") {
		i := slices.Index(parts, c)
		switch {
		case kind == Append && i < 0:
			parts = append(parts, c)
		case kind == Subtract && i >= 0:
			parts = slices.Delete(parts, i, i+1)
		}
	}
	return strings.Join(parts, ",")
}

// Changes lists what turns stored into result: keys to set, and keys to remove (a nil value), sorted by name. Keys
// whose value stays are left out.
func Changes(stored, result map[string]string) []Op {
	var ops []Op
	for _, name := range slices.Sorted(maps.Keys(result)) {
		if old, ok := stored[name]; !ok || old != result[name] {
			v := result[name]
			ops = append(ops, Op{Kind: Set, Name: name, Value: &v})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		if _, ok := result[name]; !ok {
			ops = append(ops, Op{Kind: Delete, Name: name})
		}
	}
	return ops
}
