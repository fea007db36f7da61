package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// everyVersion calls f for each key and version that can be decoded.
func everyVersion(t *testing.T, f func(t *testing.T, h Header)) {
	for _, r := range Ranges() {
		t.Run(fmt.Sprintf("%02d_%s", r.Key, Name(r.Key)), func(t *testing.T) {
			for v := r.Min; v <= r.Max; v++ {
				f(t, Header{Key: r.Key, Version: v})
			}
		})
	}
}

// fill sets every field that can be set below v to something random; arrays get one to three elements.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(64) % (1 << (v.Type().Bits() - 1)))
	case reflect.Uint16, reflect.Uint32:
		v.SetUint(r.Uint64() % (1 << v.Type().Bits()))
	case reflect.Float64:
		v.SetFloat(r.NormFloat64())
	case reflect.String:
		v.SetString(strings.Repeat("x", 1+r.IntN(300)))
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Slice:
		n := 1 + r.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if d, ok := v.Interface().(interface{ Default() }); ok {
			d.Default()
		}
		fill(r, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if name != "Version" && name != "UnknownTags" && v.Field(i).CanSet() {
				fill(r, v.Field(i))
			}
		}
	}
}

// random returns a request of h's key and version with random content, and its body.
func random(r *rand.Rand, h Header) (kmsg.Request, []byte) {
	req := kmsg.RequestForKey(h.Key)
	req.SetVersion(h.Version)
	fill(r, reflect.ValueOf(req).Elem())
	return req, req.AppendTo(nil)
}

// randomResponse returns a response to h with random content.
func randomResponse(r *rand.Rand, h Header) kmsg.Response {
	resp := kmsg.ResponseForKey(h.Key)
	resp.SetVersion(h.Version)
	fill(r, reflect.ValueOf(resp).Elem())
	return resp
}

// tagsOfLaterVersions holds the first version with all tagged fields of the requests for which kmsg writes every tagged
// field in every version; Kafka does not.
var tagsOfLaterVersions = map[int16]int16{1: 18, 63: 2}

// The layouts agree with kmsg: whatever kmsg writes passes the check to its last byte, and decodes to itself.
func TestLayoutsAgreeWithKmsg(t *testing.T) {
	everyVersion(t, func(t *testing.T, h Header) {
		for seed := range uint64(20) {
			_, body := random(rand.New(rand.NewPCG(seed, 1)), h)
			l := layoutOf(h.Key)
			w := walker{b: body, version: h.Version, flexible: h.Version >= l.flexible}
			w.fields(l.fields)
			if w.unknown && tagsOfLaterVersions[h.Key] > h.Version {
				continue
			}
			if w.err != nil || w.at != len(body) || w.unknown {
				t.Fatalf("version %d, seed %d: stopped at %d of %d, unknown tags %v: %v", h.Version, seed, w.at, len(body), w.unknown, w.err)
			}
			got, err := Decode(h, body)
			if err != nil {
				t.Fatalf("version %d, seed %d: %v", h.Version, seed, err)
			}
			if again := got.AppendTo(nil); !bytes.Equal(again, body) {
				t.Fatalf("version %d, seed %d: decoded and encoded again it differs\n%x\n%x", h.Version, seed, body, again)
			}
		}
	})
}

// No prefix of a request passes.
func TestTruncatedIsMalformed(t *testing.T) {
	everyVersion(t, func(t *testing.T, h Header) {
		_, body := random(rand.New(rand.NewPCG(7, 7)), h)
		for n := range body {
			if err := Check(h, body[:n]); err == nil {
				t.Fatalf("version %d: the first %d of %d bytes pass", h.Version, n, len(body))
			}
		}
	})
}
