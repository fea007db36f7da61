package wire

import (
	"errors"
	"testing"
)

// A principal is read as Kafka's brokers write it, is cut nowhere without a word, and one of a version to come is not guessed at.
func TestPrincipal(t *testing.T) {
	const anonymous = "\x00\x00\x05User\x0aANONYMOUS\x00\x00"
	got, err := ReadPrincipal([]byte(anonymous))
	if want := (Principal{Type: "User", Name: "ANONYMOUS"}); err != nil || got != want {
		t.Fatalf("%+v, %v", got, err)
	}
	for n := range len(anonymous) {
		if _, err := ReadPrincipal([]byte(anonymous[:n])); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d of %d bytes: %v", n, len(anonymous), err)
		}
	}
	byToken := []byte(anonymous)
	byToken[len(byToken)-2] = 1
	if got, err := ReadPrincipal(byToken); err != nil || !got.ByToken {
		t.Errorf("by token: %+v, %v", got, err)
	}
	if _, err := ReadPrincipal([]byte{0, 1, 2, 'U', 2, 'a', 0, 0}); !errors.Is(err, ErrUnsupportedVersion) {
		t.Errorf("version 1: %v", err)
	}
}
