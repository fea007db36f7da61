package schema

import (
	"encoding/binary"
	"fmt"
)

// GroupMessage is the key or the value of a record of __consumer_offsets. All are pointers to generated structs.
type GroupMessage interface {
	Record
	// APIKey identifies the type of the record; a value has that of its key.
	APIKey() int16
}

// groupType is one row of the generated table.
type groupType struct {
	apiKey     int16
	key, value func() GroupMessage
}

func groupTypeOf(apiKey int16) (groupType, bool) {
	for _, t := range groupTypes {
		if t.apiKey == apiKey {
			return t, true
		}
	}
	return groupType{}, false
}

// AppendGroupKey appends the key of a record of __consumer_offsets: its type, then its body, of which there is one version.
func AppendGroupKey(b []byte, key GroupMessage) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(key.APIKey()))
	return key.AppendTo(b, 0)
}

// AppendGroupValue appends the value of a record of __consumer_offsets: version v, then its body.
func AppendGroupValue(b []byte, value GroupMessage, v int16) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(v))
	return value.AppendTo(b, v)
}

// ParseGroupKey reads the key of a record of __consumer_offsets. Errors are those of ReadFrom, and ErrUnknownRecord for a
// type of a newer release or of groups that are not served: a reader may pass over it (KIP-915).
func ParseGroupKey(b []byte) (GroupMessage, error) {
	r := reader{b: b}
	apiKey := r.int16()
	if r.err != nil {
		return nil, fmt.Errorf("type of a group record: %w", r.err)
	}
	t, ok := groupTypeOf(apiKey)
	if !ok {
		return nil, fmt.Errorf("group record type %d: %w", apiKey, ErrUnknownRecord)
	}
	key := t.key()
	if err := key.ReadFrom(r.b, 0); err != nil {
		return nil, err
	}
	return key, nil
}

// ParseGroupValue reads the value that belongs to a key of the type apiKey. Errors are those of ReadFrom and
// ErrUnknownRecord.
func ParseGroupValue(apiKey int16, b []byte) (value GroupMessage, version int16, err error) {
	r := reader{b: b}
	version = r.int16()
	t, ok := groupTypeOf(apiKey)
	switch {
	case r.err != nil:
		return nil, 0, fmt.Errorf("version of a group record: %w", r.err)
	case !ok:
		return nil, 0, fmt.Errorf("group record type %d: %w", apiKey, ErrUnknownRecord)
	}
	value = t.value()
	if err := value.ReadFrom(r.b, version); err != nil {
		return nil, 0, err
	}
	return value, version, nil
}

// GroupRecord is a record of __consumer_offsets.
type GroupRecord struct {
	Key GroupMessage
	// Value is nil for a tombstone.
	Value GroupMessage
	// Version is the value's.
	Version int16
}

// AppendKey appends the encoded key.
func (r GroupRecord) AppendKey(b []byte) []byte { return AppendGroupKey(b, r.Key) }

// AppendValue appends the encoded value; false says that the record is a tombstone.
func (r GroupRecord) AppendValue(b []byte) ([]byte, bool) {
	if r.Value == nil {
		return b, false
	}
	return AppendGroupValue(b, r.Value, r.Version), true
}
