package kafkatools

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// full takes so many bytes, and then fails.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	n := min(len(b), f.room)
	if f.room -= n; n < len(b) {
		return n, errors.New("no space left")
	}
	return n, nil
}

// What stdout did not take is not committed: the group reads it again.
func TestConsoleConsumerOnAFullDisk(t *testing.T) {
	server, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(server.ListenAddrs()...), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	for range 5 * printed {
		cl.Produce(t.Context(), &kgo.Record{Value: bytes.Repeat([]byte("x"), 99)}, nil)
	}
	if err := cl.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	const lines = 2*printed + 100
	w := newTested("", nil)
	w.Out = bufio.NewWriter(&full{room: lines * 100})
	exit := run(t.Context(), &w.World, "kafka-console-consumer", []string{"--bootstrap-server", server.ListenAddrs()[0], "--topic", "t",
		"--from-beginning", "--group", "g", "--timeout-ms", "10000"}, nil)
	if exit != 0 || !strings.Contains(w.err.String(), "Unable to write to standard out") {
		t.Fatalf("exit %d, %s", exit, w.err.String())
	}
	offsets, err := kadm.NewClient(cl).FetchOffsets(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := offsets.Lookup("t", 0); !ok || o.At > lines || o.At < printed {
		t.Errorf("committed %d of the %d that were written", o.At, lines)
	}
}

// A wrong address does not look like a topic without records.
func TestConsoleConsumerWithoutAServer(t *testing.T) {
	w := newTested("", nil)
	run(t.Context(), &w.World, "kafka-console-consumer", []string{"--bootstrap-server", "127.0.0.1:1", "--topic", "t", "--timeout-ms", "500"}, nil)
	if n := strings.Count(w.err.String(), "Connection to node -1 (127.0.0.1:1) could not be established"); n != 1 {
		t.Errorf("said %d times in %q", n, w.err.String())
	}
}
