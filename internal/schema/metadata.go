package schema

import (
	"encoding/binary"
	"fmt"
	"math"
)

// MetadataRecord is a record of __cluster_metadata. All are pointers to generated structs.
type MetadataRecord interface {
	Record
	// APIKey identifies the record type.
	APIKey() int16
}

// frameVersion is the only version of the frame around a metadata record.
const frameVersion = 1

// metadataType is one row of the generated table.
type metadataType struct {
	key         int16
	name        string // as Kafka's tools print it: TOPIC_RECORD
	first, last int16
	fresh       func() MetadataRecord
}

// typeOf returns the row of key.
func typeOf(key int16) (metadataType, bool) {
	for _, t := range metadataTypes {
		if t.key == key {
			return t, true
		}
	}
	return metadataType{}, false
}

// NewMetadataRecord returns a record of the type with every field at its default, or nil when there is no such type.
func NewMetadataRecord(key int16) MetadataRecord {
	t, ok := typeOf(key)
	if !ok {
		return nil
	}
	return t.fresh()
}

// MetadataName returns the name of a record type as Kafka's tools print it, such as TOPIC_RECORD; "" when there is none.
func MetadataName(key int16) string {
	t, _ := typeOf(key)
	return t.name
}

// MetadataKeys returns the keys of all metadata record types, ascending.
func MetadataKeys() []int16 {
	keys := make([]int16, len(metadataTypes))
	for i, t := range metadataTypes {
		keys[i] = t.key
	}
	return keys
}

// AppendMetadata appends rec in version v with the frame before it: the value of a record in __cluster_metadata.
func AppendMetadata(b []byte, rec MetadataRecord, v int16) []byte {
	b = binary.AppendUvarint(b, frameVersion)
	b = binary.AppendUvarint(b, uint64(rec.APIKey()))
	b = binary.AppendUvarint(b, uint64(v))
	return rec.AppendTo(b, v)
}

// ParseMetadata reads the value of a record in __cluster_metadata. Errors are those of ReadFrom and ErrUnknownRecord,
// which a reader must not skip: a record that is not understood may change everything after it.
func ParseMetadata(b []byte) (rec MetadataRecord, version int16, err error) {
	t, version, body, err := parseFrame(b)
	if err != nil {
		return nil, 0, err
	}
	rec = t.fresh()
	if err := rec.ReadFrom(body, version); err != nil {
		return nil, 0, err
	}
	return rec, version, nil
}

// PeekMetadata reads the frame alone: the record's type, if it and its version are known. Errors are ErrUnknownRecord, ErrVersion,
// and of a frame that is cut off.
func PeekMetadata(b []byte) (key int16, err error) {
	t, version, _, err := parseFrame(b)
	if err == nil && (version < t.first || version > t.last) {
		err = versionError(t.name, version)
	}
	return t.key, err
}

func parseFrame(b []byte) (t metadataType, version int16, body []byte, err error) {
	r := reader{b: b}
	frame, key, v := r.uvarint(), r.uvarint(), r.uvarint()
	switch {
	case r.err != nil:
		return t, 0, nil, fmt.Errorf("frame of a metadata record: %w", r.err)
	case frame != frameVersion:
		return t, 0, nil, fmt.Errorf("frame version %d of a metadata record: %w", frame, ErrVersion)
	case key > math.MaxInt16:
		return t, 0, nil, fmt.Errorf("metadata record key %d: %w", key, ErrUnknownRecord)
	case v > math.MaxInt16:
		return t, 0, nil, fmt.Errorf("version %d of a metadata record: %w", v, ErrVersion)
	}
	t, ok := typeOf(int16(key))
	if !ok {
		return t, 0, nil, fmt.Errorf("metadata record key %d: %w", key, ErrUnknownRecord)
	}
	return t, int16(v), r.b, nil
}

// AppendMetadataJSON appends rec as Kafka's DumpLogSegments prints it: {"type":"TOPIC_RECORD","version":0,"data":{…}}.
func AppendMetadataJSON(b []byte, rec MetadataRecord, v int16) []byte {
	b = append(b, `{"type":`...)
	b = jsonString(b, MetadataName(rec.APIKey()))
	b = append(b, `,"version":`...)
	b = fmt.Append(b, v)
	b = append(b, `,"data":`...)
	b = rec.AppendJSON(b, v)
	return append(b, '}')
}
