package transport

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPeersOnThisMachineAreNotPaced whatever congestion control the system has.
func TestPeersOnThisMachineAreNotPaced(t *testing.T) {
	l := serve(t, testOptions(), func(r *Request) { r.Reply(reply(r.Frame)) })
	nc := dial(t, l)
	nc.Write(frame([]byte("any")))
	readFrame(t, nc)
	var control string
	var err error
	if e := only(t, l).io.(*socket).raw.Control(func(fd uintptr) {
		control, err = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	}); e != nil || err != nil {
		t.Fatal(e, err)
	}
	if control = strings.TrimRight(control, "\x00"); control != "reno" {
		t.Errorf("congestion control %q", control)
	}
}
