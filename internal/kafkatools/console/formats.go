package console

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/schema"
)

// Formatter writes records as text. An error of Write is of the record; those of out stay with out.
type Formatter interface {
	Write(out *bufio.Writer, r *kgo.Record) error
}

// formatterPackage is what Apache's formatters are in.
const formatterPackage = "org.apache.kafka.tools.consumer."

// DefaultFormatter is the class that is used when none is named.
const DefaultFormatter = formatterPackage + "DefaultMessageFormatter"

// NewFormatter returns the formatter of a class with its properties, and warnings for a person. The error wraps ErrClass when there
// is no such class.
func NewFormatter(class string, props map[string]string) (_ Formatter, warnings []string, _ error) {
	if name, found := strings.CutPrefix(class, formatterPackage); found {
		switch name {
		case "DefaultMessageFormatter", "LoggingMessageFormatter":
			return newDefault(props)
		case "NoOpMessageFormatter":
			return nothing{}, nil, nil
		case "OffsetsMessageFormatter":
			return coordinator{parse: groupRecord, types: []int16{0, 1}}, nil, nil
		case "GroupMetadataMessageFormatter":
			return coordinator{parse: groupRecord, types: []int16{2}}, nil, nil
		case "TransactionLogMessageFormatter":
			return coordinator{parse: transactionRecord, types: []int16{0}}, nil, nil
		}
	}
	return nil, nil, fmt.Errorf("%s: %w", class, ErrClass)
}

// nothing is the formatter that writes nothing.
type nothing struct{}

// Write does nothing.
func (nothing) Write(*bufio.Writer, *kgo.Record) error { return nil }

// text is the default formatter.
type text struct {
	timestamp, partition, offset, delivery, epoch, headers, key, value bool

	separator, lineSeparator, headersSeparator string
	null                                       []byte
	keyText, valueText, headerText             deserializer
}

func newDefault(props map[string]string) (_ Formatter, warnings []string, _ error) {
	or := func(name, fallback string) string {
		if v, ok := props[name]; ok {
			return v
		}
		return fallback
	}
	t := text{
		timestamp: isTrue(props["print.timestamp"]), partition: isTrue(props["print.partition"]), offset: isTrue(props["print.offset"]),
		delivery: isTrue(props["print.delivery"]), epoch: isTrue(props["print.epoch"]), headers: isTrue(props["print.headers"]),
		key: isTrue(props["print.key"]), value: isTrue(or("print.value", "true")),
		separator: or("key.separator", "\t"), lineSeparator: or("line.separator", "\n"), headersSeparator: or("headers.separator", ","),
		null: []byte(or("null.literal", "null")),
	}
	for name, d := range map[string]*deserializer{
		"key.deserializer": &t.keyText, "value.deserializer": &t.valueText, "headers.deserializer": &t.headerText,
	} {
		class, given := props[name]
		if !given {
			continue
		}
		var err error
		if *d, err = deserializerOf(class); err != nil {
			warnings = append(warnings, "Unable to instantiate a deserializer from "+class)
		}
	}
	return t, warnings, nil
}

// Write prints the fields that are wanted, in their order, with separators between them and the line's at the end.
func (t text) Write(out *bufio.Writer, r *kgo.Record) error {
	if t.timestamp {
		t.writeTime(out, r)
		t.end(out, t.partition || t.offset || t.delivery || t.epoch || t.headers || t.key || t.value)
	}
	if t.partition {
		writeNumber(out, "Partition:", int64(r.Partition))
		t.end(out, t.offset || t.delivery || t.epoch || t.headers || t.key || t.value)
	}
	if t.offset {
		writeNumber(out, "Offset:", r.Offset)
		t.end(out, t.delivery || t.epoch || t.headers || t.key || t.value)
	}
	if t.delivery {
		_, _ = out.WriteString("Delivery:NOT_PRESENT")
		t.end(out, t.epoch || t.headers || t.key || t.value)
	}
	if t.epoch {
		_, _ = out.WriteString("Epoch:NOT_PRESENT") // Apache's tool does not hand it to its formatter
		t.end(out, t.headers || t.key || t.value)
	}
	if t.headers {
		if err := t.writeHeaders(out, r); err != nil {
			return err
		}
		t.end(out, t.key || t.value)
	}
	if t.key {
		if err := t.field(out, t.keyText, r.Key); err != nil {
			return err
		}
		t.end(out, t.value)
	}
	if t.value {
		if err := t.field(out, t.valueText, r.Value); err != nil {
			return err
		}
		_, _ = out.WriteString(t.lineSeparator)
	}
	return nil
}

// end writes what follows a field: the separator if there are more, else the line's.
func (t text) end(out *bufio.Writer, more bool) {
	if more {
		_, _ = out.WriteString(t.separator)
		return
	}
	_, _ = out.WriteString(t.lineSeparator)
}

func writeNumber(out *bufio.Writer, name string, n int64) {
	_, _ = out.WriteString(name)
	_, _ = out.Write(strconv.AppendInt(out.AvailableBuffer(), n, 10))
}

func (t text) writeTime(out *bufio.Writer, r *kgo.Record) {
	switch r.Attrs.TimestampType() {
	case 0:
		writeNumber(out, "CreateTime:", r.Timestamp.UnixMilli())
	case 1:
		writeNumber(out, "LogAppendTime:", r.Timestamp.UnixMilli())
	default:
		_, _ = out.WriteString("NO_TIMESTAMP")
	}
}

func (t text) writeHeaders(out *bufio.Writer, r *kgo.Record) error {
	if len(r.Headers) == 0 {
		_, _ = out.WriteString("NO_HEADERS")
	}
	for i, h := range r.Headers {
		if i > 0 {
			_, _ = out.WriteString(t.headersSeparator)
		}
		_, _ = out.WriteString(h.Key)
		_ = out.WriteByte(':')
		if err := t.field(out, t.headerText, h.Value); err != nil {
			return err
		}
	}
	return nil
}

// field writes bytes as they are, or what the deserializer makes of them. It gets the literal for null too.
func (t text) field(out *bufio.Writer, d deserializer, b []byte) error {
	if b == nil {
		b = t.null
	}
	if d == nil {
		_, _ = out.Write(b)
		return nil
	}
	s, err := d(b)
	if err != nil {
		return err
	}
	_, _ = out.WriteString(s)
	return nil
}

// coordinator writes the records of an internal topic as JSON.
type coordinator struct {
	// parse returns the type and JSON of the key, and of the value, nil for none.
	parse func(r *kgo.Record) (coordinatorRecord, error)
	types []int16
}

type coordinatorRecord struct {
	Type    int16
	Key     json.RawMessage
	Version int16
	Value   json.RawMessage // nil for a tombstone
}

// Write prints records of the wanted types, without a newline after them, as Apache's formatters do.
func (c coordinator) Write(out *bufio.Writer, r *kgo.Record) error {
	if r.Key == nil {
		return nil
	}
	rec, err := c.parse(r)
	if errors.Is(err, schema.ErrUnknownRecord) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("Could not read record at offset %d due to: %w", r.Offset, err)
	}
	for _, t := range c.types {
		if t != rec.Type {
			continue
		}
		fmt.Fprintf(out, `{"key":{"type":%d,"data":%s},"value":`, rec.Type, rec.Key)
		if rec.Value == nil {
			_, _ = out.WriteString("null}")
			return nil
		}
		fmt.Fprintf(out, `{"version":%d,"data":%s}}`, rec.Version, rec.Value)
	}
	return nil
}

func groupRecord(r *kgo.Record) (coordinatorRecord, error) {
	key, err := schema.ParseGroupKey(r.Key)
	if err != nil {
		return coordinatorRecord{}, err
	}
	rec := coordinatorRecord{Type: key.APIKey(), Key: key.AppendJSON(nil, 0)}
	if r.Value == nil {
		return rec, nil
	}
	value, version, err := schema.ParseGroupValue(key.APIKey(), r.Value)
	if err != nil {
		return rec, err
	}
	rec.Version, rec.Value = version, value.AppendJSON(nil, version)
	return rec, nil
}

func transactionRecord(r *kgo.Record) (coordinatorRecord, error) {
	key, err := schema.ParseTransactionKey(r.Key)
	if err != nil {
		return coordinatorRecord{}, err
	}
	rec := coordinatorRecord{Key: key.AppendJSON(nil, 0)}
	if r.Value == nil {
		return rec, nil
	}
	value, version, err := schema.ParseTransactionValue(r.Value)
	if err != nil {
		return rec, err
	}
	rec.Version, rec.Value = version, value.AppendJSON(nil, version)
	return rec, nil
}
