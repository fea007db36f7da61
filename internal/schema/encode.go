package schema

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/ottla/ottla/internal/kafka"
)

func appendBool(b []byte, x bool) []byte {
	if x {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendInt8(b []byte, x int8) []byte       { return append(b, byte(x)) }
func appendInt16(b []byte, x int16) []byte     { return binary.BigEndian.AppendUint16(b, uint16(x)) }
func appendUint16(b []byte, x uint16) []byte   { return binary.BigEndian.AppendUint16(b, x) }
func appendInt32(b []byte, x int32) []byte     { return binary.BigEndian.AppendUint32(b, uint32(x)) }
func appendUint32(b []byte, x uint32) []byte   { return binary.BigEndian.AppendUint32(b, x) }
func appendInt64(b []byte, x int64) []byte     { return binary.BigEndian.AppendUint64(b, uint64(x)) }
func appendUUID(b []byte, x kafka.UUID) []byte { return append(b, x[:]...) }

func appendFloat64(b []byte, x float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(x))
}

func appendString(b []byte, x string, flex bool) []byte {
	if flex {
		b = binary.AppendUvarint(b, uint64(len(x))+1)
	} else {
		b = appendInt16(b, int16(len(x)))
	}
	return append(b, x...)
}

func appendNullableString(b []byte, x *string, flex bool) []byte {
	switch {
	case x != nil:
		return appendString(b, *x, flex)
	case flex:
		return append(b, 0)
	}
	return appendInt16(b, -1)
}

func appendBytes(b, x []byte, null, flex bool) []byte {
	return append(appendCount(b, len(x), x == nil && null, flex), x...)
}

// appendCount appends the count of an array or the length of bytes.
func appendCount(b []byte, n int, null, flex bool) []byte {
	switch {
	case null && flex:
		return append(b, 0)
	case null:
		return appendInt32(b, -1)
	case flex:
		return binary.AppendUvarint(b, uint64(n)+1)
	}
	return appendInt32(b, int32(n))
}

// sizeTag puts the size of a tagged value, which is all from at on, before it.
func sizeTag(b []byte, at int) []byte {
	size := len(b) - at
	wide := max(1, (bits.Len(uint(size))+6)/7)
	b = append(b, zeros[:wide]...)
	copy(b[at+wide:], b[at:at+size])
	binary.PutUvarint(b[at:], uint64(size))
	return b
}

// endJSON closes an object whose members each end with a comma.
func endJSON(b []byte) []byte { return closeJSON(b, '}') }

// endArray closes an array whose elements each end with a comma.
func endArray(b []byte) []byte { return closeJSON(b, ']') }

func closeJSON(b []byte, end byte) []byte {
	if b[len(b)-1] == ',' {
		b[len(b)-1] = end
		return b
	}
	return append(b, end)
}

func jsonUUID(b []byte, x kafka.UUID) []byte {
	b = append(b, '"')
	b = base64.RawURLEncoding.AppendEncode(b, x[:])
	return append(b, '"')
}

func jsonBytes(b []byte, x []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, x)
	return append(b, '"')
}

// jsonFloat64 prints as Java does: at least one digit after the point, an exponent from 10^7 on and below 10^-3.
func jsonFloat64(b []byte, x float64) []byte {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return append(b, `"NaN"`...)
	case math.IsInf(x, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(x, -1):
		return append(b, `"-Infinity"`...)
	case x == 0 || a >= 1e-3 && a < 1e7:
		at := len(b)
		b = strconv.AppendFloat(b, x, 'f', -1, 64)
		return withPoint(b, at)
	}
	digits := strconv.AppendFloat(nil, x, 'e', -1, 64)
	at := len(b)
	for i, c := range digits {
		if c == 'e' {
			b = withPoint(append(b, digits[:i]...), at)
			exp, _ := strconv.Atoi(string(digits[i+1:]))
			return strconv.AppendInt(append(b, 'E'), int64(exp), 10)
		}
	}
	return append(b, digits...)
}

// withPoint adds ".0" to the number from at on when it has no point.
func withPoint(b []byte, at int) []byte {
	for _, c := range b[at:] {
		if c == '.' {
			return b
		}
	}
	return append(b, ".0"...)
}

const hexDigits = "0123456789ABCDEF"

// jsonString escapes what JSON must have escaped and nothing else; bytes that are no UTF-8 become U+FFFD.
func jsonString(b []byte, x string) []byte {
	b = append(b, '"')
	for _, c := range x {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
