package config

import "testing"

// TestSocketBuffers: each is our own choice unless a file says otherwise, be it in the words of the default.
func TestSocketBuffers(t *testing.T) {
	for text, want := range map[string][2]int{
		"":                                     {256 << 10, -1},
		"socket.receive.buffer.bytes=102400\n": {256 << 10, 102400},
		"socket.receive.buffer.bytes=-1\n":     {256 << 10, -1},
		"socket.send.buffer.bytes=102400\n":    {102400, -1},
		"socket.send.buffer.bytes=-1\n":        {-1, -1},
	} {
		n, err := Load("f", []byte("process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://:1,C://:2\ncontroller.listener.names=C\n"+
			"controller.quorum.voters=1@a:2\n"+text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]int{n.Network.SendBufferBytes, n.Network.ReceiveBufferBytes}; got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
