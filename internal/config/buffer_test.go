package config

import "testing"

// TestReceiveBuffer: the kernel tunes the buffer unless a file says otherwise, be it in the words of the default.
func TestReceiveBuffer(t *testing.T) {
	for text, want := range map[string]int{"": -1, "socket.receive.buffer.bytes=102400\n": 102400, "socket.receive.buffer.bytes=-1\n": -1} {
		n, err := Load("f", []byte("process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://:1,C://:2\ncontroller.listener.names=C\n"+
			"controller.quorum.voters=1@a:2\n"+text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Network.ReceiveBufferBytes; got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
