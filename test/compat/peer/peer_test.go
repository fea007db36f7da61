package peer

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOptionsAreFilled(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "data")}
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	if o.Listen == o.Controller || o.Listen == "" || o.Controller == "" {
		t.Errorf("listeners %q and %q", o.Listen, o.Controller)
	}
	if o.Log != o.Dir+".log" {
		t.Errorf("log file %q", o.Log)
	}
	if err := (&Options{}).fill(); err == nil {
		t.Error("no directory, and no error")
	}
}

func TestPropertiesOfTheCallerWin(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:1", Controller: "127.0.0.1:2",
		Properties: map[string]string{"log.segment.bytes": "7", "node.id": "5"}}
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	file, err := writeProperties(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"log.segment.bytes=7\n", "node.id=5\n", "listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\n",
		"controller.quorum.voters=1@127.0.0.1:2\n", "log.dirs=" + o.Dir + "\n"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%q is missing in\n%s", want, b)
		}
	}
}

// askApiVersions takes any whole frame for an answer, and a closed connection for none.
func TestAskApiVersions(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := make(chan []byte, 2)
	answers <- []byte{0, 0, 0, 2, 0, 0}
	answers <- nil
	go func() {
		for a := range answers {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := bufio.NewReader(c).Peek(14); err == nil {
				_, _ = c.Write(a)
			}
			c.Close()
		}
	}()
	if err := askApiVersions(t.Context(), l.Addr().String()); err != nil {
		t.Error(err)
	}
	if err := askApiVersions(t.Context(), l.Addr().String()); err == nil {
		t.Error("a closed connection was taken for an answer")
	}
	close(answers)
}

func TestTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	if got := tail(file, 3); got != "" {
		t.Errorf("of no file: %q", got)
	}
	if err := os.WriteFile(file, []byte("1\n2\n3\n4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := tail(file, 2); got != "3\n4" {
		t.Errorf("%q", got)
	}
	if got := tail(file, 9); got != "1\n2\n3\n4" {
		t.Errorf("%q", got)
	}
}
