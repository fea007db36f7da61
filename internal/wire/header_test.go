package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// frame is a request as kmsg's client side writes it, without its size.
func frame(req kmsg.Request, correlation int32, client *string) []byte {
	f := kmsg.NewRequestFormatter()
	if client != nil {
		f = kmsg.NewRequestFormatter(kmsg.FormatterClientID(*client))
	}
	return f.AppendRequest(nil, req, correlation)[4:]
}

// Header and body come apart where kmsg put them together, at every version.
func TestHeader(t *testing.T) {
	client := "tester"
	everyVersion(t, func(t *testing.T, h Header) {
		req := kmsg.RequestForKey(h.Key)
		req.SetVersion(h.Version)
		body := req.AppendTo(nil)
		for _, id := range []*string{&client, nil} {
			var got Header
			rest, err := got.Parse(frame(req, 77, id))
			want := Header{Key: h.Key, Version: h.Version, CorrelationID: 77, ClientID: text0(id), HasClientID: id != nil}
			if err != nil || got != want || !bytes.Equal(rest, body) {
				t.Fatalf("version %d: %+v, %v, body %x; want %+v, %x", h.Version, got, err, rest, want, body)
			}
		}
		if flexible, _ := FirstFlexible(h.Key); (h.Version >= flexible) != req.IsFlexible() {
			t.Fatalf("version %d: flexible from %d, kmsg says %v", h.Version, flexible, req.IsFlexible())
		}
	})
}

// The response header has tagged fields in flexible versions, but never for ApiVersions.
func TestResponseHeader(t *testing.T) {
	f := func(key, version int16, want ...byte) {
		t.Helper()
		if got := AppendResponseHeader(nil, Header{Key: key, Version: version, CorrelationID: 0x01020304}); !bytes.Equal(got, want) {
			t.Errorf("key %d version %d: %x, want %x", key, version, got, want)
		}
	}
	f(0, 8, 1, 2, 3, 4)
	f(0, 9, 1, 2, 3, 4, 0)
	f(18, 2, 1, 2, 3, 4)
	f(18, 3, 1, 2, 3, 4)
	f(18, 5, 1, 2, 3, 4)
	f(17, 1, 1, 2, 3, 4)
	f(999, 1, 1, 2, 3, 4)
}

// The client id of a connection is kept while it stays the same.
func TestHeaderAllocations(t *testing.T) {
	client := "a client with a name that is not short"
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(12)
	b := frame(req, 1, &client)
	var h Header
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := h.Parse(b); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 || h.ClientID != client {
		t.Errorf("%v allocations, client id %q", allocs, h.ClientID)
	}
}

func TestHeaderRefused(t *testing.T) {
	f := func(want error, b ...byte) {
		t.Helper()
		var h Header
		if body, err := h.Parse(b); !errors.Is(err, want) || body != nil {
			t.Errorf("%x: %v, body %x, want %v", b, err, body, want)
		}
	}
	f(ErrMalformed)
	f(ErrMalformed, 0, 3, 0, 12, 0, 0, 0, 1)
	f(ErrMalformed, 0, 3, 0, 12, 0, 0, 0, 1, 0)
	f(ErrMalformed, 0, 3, 0, 12, 0, 0, 0, 1, 0, 5, 'a')           // a client id of 5 bytes, 1 is there
	f(ErrMalformed, 0, 3, 0, 12, 0, 0, 0, 1, 0xff, 0xfe)          // of -2 bytes
	f(ErrMalformed, 0, 3, 0, 12, 0, 0, 0, 1, 0xff, 0xff)          // no tagged fields
	f(ErrMalformed, 0, 3, 0, 12, 0, 0, 0, 1, 0xff, 0xff, 1, 0, 9) // a tagged field of 9 bytes
	f(ErrMalformed, 0, 3, 0, 12, 0, 0, 0, 1, 0xff, 0xff, 2, 1, 0, 1, 0)
	f(ErrUnknownKey, 0, 95, 0, 0, 0, 0, 0, 1, 0xff, 0xff)
	f(ErrUnknownKey, 0, 4, 0, 0, 0, 0, 0, 1, 0xff, 0xff)
	f(ErrUnknownKey, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff)
}

// An unknown version passes: ApiVersions must be answered in any.
func TestHeaderOfTheFuture(t *testing.T) {
	var h Header
	body, err := h.Parse([]byte{0, 18, 0, 99, 0, 0, 0, 1, 0xff, 0xff, 1, 7, 1, 9, 1, 2})
	if err != nil || h.Version != 99 || !bytes.Equal(body, []byte{1, 2}) {
		t.Errorf("%+v, %x, %v", h, body, err)
	}
	body, err = h.Parse([]byte{0, 18, 0xff, 0xff, 0, 0, 0, 1, 0xff, 0xff})
	if err != nil || h.Version != -1 || len(body) != 0 {
		t.Errorf("%+v, %x, %v", h, body, err)
	}
	if err := Check(h, body); !errors.Is(err, ErrUnsupportedVersion) {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	if Name(0) != "Produce" || Name(45) != "AlterPartitionReassignments" || Name(4) != "" || Name(-1) != "" || Name(95) != "" {
		t.Error("names are off")
	}
	if n := len(Ranges()); n != 91 {
		t.Errorf("%d keys, want 91", n)
	}
	if r, ok := Decodable(1); !ok || r != (Range{1, 4, 18}) || r.Has(3) || !r.Has(18) {
		t.Errorf("Fetch %+v", r)
	}
}
