package records

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// recordJSON is a record under -o json and jsonl. A key and a value are text, or null; when they are something else the field of the same
// name with "Encoding" says so: "base64" of what is not valid UTF-8, "json" of what --decode has made a value of JSON of.
type recordJSON struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// Timestamp is in milliseconds since 1970.
	Timestamp     *int64       `json:"timestamp,omitempty"`
	TimestampType string       `json:"timestampType,omitempty"` // CreateTime, LogAppendTime
	LeaderEpoch   int32        `json:"leaderEpoch"`
	Key           any          `json:"key"`
	KeyEncoding   string       `json:"keyEncoding,omitempty"`
	Value         any          `json:"value"`
	ValueEncoding string       `json:"valueEncoding,omitempty"`
	Headers       []headerJSON `json:"headers,omitempty"`
}

type headerJSON struct {
	Key           string `json:"key"`
	Value         any    `json:"value"`
	ValueEncoding string `json:"valueEncoding,omitempty"`
}

// givenJSON is a line of --input jsonl: what is taken over of what [recordJSON] prints.
type givenJSON struct {
	Timestamp     *int64          `json:"timestamp"`
	Key           json.RawMessage `json:"key"`
	KeyEncoding   string          `json:"keyEncoding"`
	Value         json.RawMessage `json:"value"`
	ValueEncoding string          `json:"valueEncoding"`
	Headers       []struct {
		Key           string          `json:"key"`
		Value         json.RawMessage `json:"value"`
		ValueEncoding string          `json:"valueEncoding"`
	} `json:"headers"`
}

func (d *decoding) toJSON(r *kgo.Record) recordJSON {
	ms := r.Timestamp.UnixMilli()
	j := recordJSON{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: &ms, LeaderEpoch: r.LeaderEpoch}
	switch r.Attrs.TimestampType() {
	case 0:
		j.TimestampType = "CreateTime"
	case 1:
		j.TimestampType = "LogAppendTime"
	}
	j.Key, j.KeyEncoding = d.key.json(r.Key)
	j.Value, j.ValueEncoding = d.value.json(r.Value)
	for _, h := range r.Headers {
		v, encoding := text(h.Value)
		j.Headers = append(j.Headers, headerJSON{h.Key, v, encoding})
	}
	return j
}

// text returns b as JSON can hold it.
func text(b []byte) (any, string) {
	switch {
	case b == nil:
		return nil, ""
	case utf8.Valid(b):
		return string(b), ""
	}
	return base64.StdEncoding.EncodeToString(b), "base64"
}

func untext(raw json.RawMessage, encoding string) ([]byte, error) {
	if encoding == "json" {
		return raw, nil
	}
	var s *string
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("want a string or null, or beside it an encoding \"json\"")
		}
	}
	switch {
	case s == nil:
		return nil, nil
	case encoding == "":
		return []byte(*s), nil
	case encoding == "base64":
		return base64.StdEncoding.DecodeString(*s)
	}
	return nil, fmt.Errorf("unknown encoding %q, want \"base64\", \"json\" or none", encoding)
}

// fromJSON reads one object into r. Topic, partition and offset are not taken over: where a record goes, the command says.
func fromJSON(line []byte, r *kgo.Record) error {
	var j givenJSON
	err := json.Unmarshal(line, &j)
	if err != nil {
		return fmt.Errorf("not a record in JSON: %w", err)
	}
	if r.Key, err = untext(j.Key, j.KeyEncoding); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if r.Value, err = untext(j.Value, j.ValueEncoding); err != nil {
		return fmt.Errorf("value: %w", err)
	}
	for _, h := range j.Headers {
		v, err := untext(h.Value, h.ValueEncoding)
		if err != nil {
			return fmt.Errorf("header %q: %w", h.Key, err)
		}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: v})
	}
	if j.Timestamp != nil {
		r.Timestamp = time.UnixMilli(*j.Timestamp)
	}
	return nil
}
