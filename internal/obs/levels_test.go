package obs

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"
)

func TestLevels(t *testing.T) {
	var out bytes.Buffer
	h := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: Trace, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	l := NewLevels("a", "b")
	a, b := l.Logger("a", h), l.Logger("b", h).With("x", 1).WithGroup("g")
	say := func(want string) {
		t.Helper()
		out.Reset()
		for _, log := range []*slog.Logger{a, b} {
			log.Log(t.Context(), Trace, "trace")
			log.Debug("debug")
			log.Warn("warn")
		}
		if got := out.String(); got != want {
			t.Errorf("%s\n  got  %q\n  want %q", fmt.Sprint(l.All()), got, want)
		}
	}
	set := func(name, level string) {
		t.Helper()
		if err := l.Set(name, level); err != nil {
			t.Error(err)
		}
	}
	say("msg=warn\nmsg=warn x=1\n")
	set("a", "TRACE")
	set(Root, "FATAL")
	say("msg=trace\nmsg=debug\nmsg=warn\n")
	l.Unset("a")
	l.Unset(Root)
	say("")
	set(Root, "DEBUG")
	say("msg=debug\nmsg=warn\nmsg=debug x=1\nmsg=warn x=1\n")
	if got := fmt.Sprint(l.All()); got != "[{a DEBUG} {b DEBUG} {root DEBUG}]" {
		t.Error(got)
	}
	for _, bad := range [][2]string{{"a", "LOUD"}, {"a", "debug"}, {"c", "INFO"}} {
		if err := l.Set(bad[0], bad[1]); !errors.Is(err, ErrLevel) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if l.Has("c") || !l.Has("a") || !l.Has(Root) {
		t.Error("Has")
	}
}
