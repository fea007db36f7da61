package console

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafkatools/java"
)

// deserializer makes text of a field.
type deserializer func([]byte) (string, error)

// serialization is the package of Kafka's deserializers.
const serialization = "org.apache.kafka.common.serialization."

// deserializers are those of Kafka, by the name of the class.
var deserializers = map[string]deserializer{
	"StringDeserializer":     func(b []byte) (string, error) { return java.Text(b), nil },
	"BytesDeserializer":      func(b []byte) (string, error) { return java.Printable(b), nil },
	"ByteArrayDeserializer":  func([]byte) (string, error) { return "[B@0", nil },
	"ByteBufferDeserializer": byteBuffer,
	"BooleanDeserializer":    boolean,
	"UUIDDeserializer":       uuid,
	"VoidDeserializer":       void,
	"ShortDeserializer":      sized("Short", 2, func(n uint64) string { return strconv.Itoa(int(int16(n))) }),
	"IntegerDeserializer":    sized("Integer", 4, func(n uint64) string { return strconv.Itoa(int(int32(n))) }),
	"LongDeserializer":       sized("Long", 8, func(n uint64) string { return strconv.FormatInt(int64(n), 10) }),
	"FloatDeserializer":      sized("Float", 4, func(n uint64) string { return java.Float(math.Float32frombits(uint32(n))) }),
	"DoubleDeserializer":     sized("Double", 8, func(n uint64) string { return java.Double(math.Float64frombits(n)) }),
}

// deserializerOf returns the deserializer of a class.
func deserializerOf(class string) (deserializer, error) {
	if name, ok := strings.CutPrefix(class, serialization); ok {
		if d, ok := deserializers[name]; ok {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", class, ErrClass)
}

func sized(name string, size int, text func(uint64) string) deserializer {
	return func(b []byte) (string, error) {
		if len(b) != size {
			return "", fmt.Errorf("Size of data received by %sDeserializer is not %d", name, size)
		}
		var wide [8]byte
		copy(wide[8-size:], b)
		return text(binary.BigEndian.Uint64(wide[:])), nil
	}
}

func byteBuffer(b []byte) (string, error) {
	return fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", len(b), len(b)), nil
}

func boolean(b []byte) (string, error) {
	switch {
	case len(b) != 1:
		return "", errors.New("Size of data received by BooleanDeserializer is not 1")
	case b[0] > 1:
		return "", fmt.Errorf("Unexpected byte received by BooleanDeserializer: %d", int8(b[0]))
	}
	return strconv.FormatBool(b[0] == 1), nil
}

// uuid reads five groups of hexadecimal digits, each of which may be shorter than it should be.
func uuid(b []byte) (string, error) {
	groups := strings.Split(string(b), "-")
	if len(groups) != 5 {
		return "", errors.New("Error parsing data into UUID")
	}
	var out []byte
	for i, size := range []int{4, 2, 2, 2, 6} {
		n, err := strconv.ParseUint(groups[i], 16, 64)
		if err != nil {
			return "", errors.New("Error parsing data into UUID")
		}
		out = append(out, binary.BigEndian.AppendUint64(nil, n)[8-size:]...)
	}
	s := hex.EncodeToString(out)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], nil
}

func void([]byte) (string, error) {
	return "", errors.New("Data should be null for a VoidDeserializer.")
}
