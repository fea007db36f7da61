package wire

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// What one node writes, the other reads, in both directions and at every version.
func TestPeers(t *testing.T) {
	everyVersion(t, func(t *testing.T, h Header) {
		for _, client := range []string{"", "node-1"} {
			h.CorrelationID, h.ClientID, h.HasClientID = 9, client, client != ""
			req, body := random(rand.New(rand.NewPCG(1, 2)), h)
			var got Header
			rest, err := got.Parse(AppendRequest(nil, h, req))
			if err != nil || got != h || !bytes.Equal(rest, body) {
				t.Fatalf("sent %+v, got %+v, %v", h, got, err)
			}
			resp := randomResponse(rand.New(rand.NewPCG(1, 2)), h)
			sent := AppendResponse(nil, h, resp)
			back, err := DecodeResponse(h, sent)
			if err != nil || !bytes.Equal(AppendResponse(nil, h, back), sent) {
				t.Fatalf("version %d: %v", h.Version, err)
			}
		}
	})
}

func TestResponseRefused(t *testing.T) {
	f := func(want error, h Header, frame ...byte) {
		t.Helper()
		if _, err := DecodeResponse(h, frame); !errors.Is(err, want) {
			t.Errorf("%x: %v, want %v", frame, err, want)
		}
	}
	h := Header{Key: 12, Version: 4, CorrelationID: 1} // Heartbeat
	f(nil, h, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	f(ErrMalformed, h)
	f(ErrMalformed, h, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)
	f(ErrMalformed, h, 0, 0, 0, 1)
	f(ErrMalformed, h, 0, 0, 0, 1, 1, 0, 9)
	f(ErrMalformed, h, 0, 0, 0, 1, 0, 0, 0, 0, 0)
	f(ErrUnknownKey, Header{Key: 999, CorrelationID: 1}, 0, 0, 0, 1)
}
