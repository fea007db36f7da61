package java

import (
	"math"
	"testing"
	"time"
)

// What is expected here was asked of a JVM, Java 17.

func TestText(t *testing.T) {
	f := func(b string, want string) {
		t.Helper()
		if got := Text([]byte(b)); got != want {
			t.Errorf("%q is read as %q, want %q", b, got, want)
		}
	}
	f("plain", "plain")
	f("a\xffb", "a\ufffdb")
	f("\xff\xfe", "\ufffd\ufffd")
	f("\xe2\x82", "\ufffd")
	f("\xe2\x82x", "\ufffdx")
	f("\xf0\x9d\x84", "\ufffd")
	f("\xed\xa0\x80", "\ufffd") // a surrogate
	f("\xc0\x80", "\ufffd\ufffd")
	f("\x80", "\ufffd")
}

func TestNumbers(t *testing.T) {
	d := func(x float64, want string) {
		t.Helper()
		if got := Double(x); got != want {
			t.Errorf("%g is %q, want %q", x, got, want)
		}
	}
	d(0, "0.0")
	d(math.Copysign(0, -1), "-0.0")
	d(1, "1.0")
	d(0.001, "0.001")
	d(0.0001, "1.0E-4")
	d(9999999, "9999999.0")
	d(1e7, "1.0E7")
	d(1.5e300, "1.5E300")
	d(-1.25e-10, "-1.25E-10")
	d(math.NaN(), "NaN")
	d(math.Inf(1), "Infinity")
	d(math.Inf(-1), "-Infinity")
	if got := Float(1.1); got != "1.1" {
		t.Errorf("1.1f is %q", got)
	}
}

func TestPrintable(t *testing.T) {
	if got := Printable([]byte("a\\\n~\x7f")); got != `a\x5C\x0A~\x7F` {
		t.Errorf("got %q", got)
	}
}

func TestParseDuration(t *testing.T) {
	f := func(s string, want time.Duration, ok bool) {
		t.Helper()
		got, err := ParseDuration(s)
		if got != want || (err == nil) != ok {
			t.Errorf("%q is %v, %v", s, got, err)
		}
	}
	f("P1D", 24*time.Hour, true)
	f("PT5M", 5*time.Minute, true)
	f("P1DT2H3M4.5S", 26*time.Hour+3*time.Minute+4500*time.Millisecond, true)
	f("PT-0.5S", -500*time.Millisecond, true)
	f("-PT1H", -time.Hour, true)
	f("pt1s", time.Second, true)
	for _, bad := range []string{"", "P", "PT", "P1DT", "1D", "P1W", "P1Y", "PT1D", "PT99999999999999999999S", "P999999999D"} {
		f(bad, 0, false)
	}
}

func TestParseDateTime(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		got, err := ParseDateTime(s)
		switch {
		case err != nil && err.Error() != want:
			t.Errorf("%q is refused with %q", s, err)
		case err == nil && got.UTC().Format("2006-01-02T15:04:05.000Z") != want:
			t.Errorf("%q is %v, want %s", s, got, want)
		}
	}
	f("2024-02-29T12:30:00.250", "2024-02-29T12:30:00.250Z")
	f("2024-02-29T12:30:00.250+02:00", "2024-02-29T10:30:00.250Z")
	f("2024-02-29T12:30:00.250+02", "2024-02-29T10:30:00.250Z")
	f("2024-02-29T12:30:00.250Z", "2024-02-29T12:30:00.250Z")
	f("2024-02-29", "Error parsing timestamp. It does not contain a 'T' according to ISO8601 format")
	f("2023-02-29T00:00:00.000", `Unparseable date: "2023-02-29T00:00:00.000Z"`)
	f("2024-02-29T12:30:00", `Unparseable date: "2024-02-29T12:30:00Z"`)
}

func TestFormatTime(t *testing.T) {
	at := time.Date(2024, 2, 9, 15, 4, 5, 67e6, time.UTC)
	f := func(pattern, want string) {
		t.Helper()
		if got := FormatTime(at, pattern); got != want {
			t.Errorf("%q gives %q, want %q", pattern, got, want)
		}
	}
	f("yyyy-MM-dd HH:mm:ss:SSS", "2024-02-09 15:04:05:067")
	f("yy.M.d h a", "24.2.9 3 PM")
	f("'at' HH 'o''clock'", "at 15 o'clock")
	f("EEE MMM dd", "Fri Feb 09")
	f("'open", "open")
	f("XXX Z", "Z +0000")
}
