package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/wire/script"
)

// ClusterID is the id that every node here is formatted with.
const ClusterID = "d2lyZS1jb21wYXJpc29uIQ"

// nodeID is the id of the one node.
const nodeID = 1

// startWait and stopWait bound how long a node may take.
const (
	startWait = 60 * time.Second
	stopWait  = 20 * time.Second
)

// Node is a running node.
type Node struct {
	Target script.Target
	cmd    *exec.Cmd
	done   chan error
}

// Start starts the node called name (kafka, ottla, or addr:BROKER[,CONTROLLER]
// for one that runs already) with its data under dir, on port and port+1.
func Start(ctx context.Context, name, dir string, port int) (*Node, error) {
	if addr, ok := strings.CutPrefix(name, "addr:"); ok {
		b, c, _ := strings.Cut(addr, ",")
		return &Node{Target: script.Target{Broker: b, Controller: c, NodeID: nodeID}}, nil
	}
	var commands func(ctx context.Context, config string) (format, start *exec.Cmd, err error)
	switch name {
	case "kafka":
		commands = kafkaCommands
	case "ottla":
		commands = ottlaCommands
	default:
		return nil, fmt.Errorf("no node %q: want kafka, ottla or addr:HOST:PORT", name)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(config, []byte(Properties(data, port)), 0o644); err != nil {
		return nil, err
	}
	format, start, err := commands(ctx, config)
	if err != nil {
		return nil, err
	}
	if out, err := format.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format: %w: %s", err, out)
	}
	n := &Node{cmd: start, done: make(chan error, 1), Target: script.Target{
		Broker: fmt.Sprintf("127.0.0.1:%d", port), Controller: fmt.Sprintf("127.0.0.1:%d", port+1),
		Dirs: []string{data}, ClusterID: ClusterID, NodeID: nodeID,
	}}
	return n, n.launch(filepath.Join(dir, "log"))
}

// launch starts the process and waits until it listens.
func (n *Node) launch(log string) error {
	f, err := os.Create(log)
	if err != nil {
		return err
	}
	defer f.Close()
	n.cmd.Stdout, n.cmd.Stderr = f, f
	if err := n.cmd.Start(); err != nil {
		return err
	}
	go func() { n.done <- n.cmd.Wait() }()
	deadline := time.NewTimer(startWait)
	defer deadline.Stop()
	try := time.NewTicker(50 * time.Millisecond)
	defer try.Stop()
	for {
		select {
		case err := <-n.done:
			n.done <- err
			text, _ := os.ReadFile(log)
			return fmt.Errorf("node ended at its start: %v: %s", err, text[max(0, len(text)-2000):])
		case <-deadline.C:
			n.Stop()
			return errors.New("node does not listen after " + startWait.String())
		case <-try.C:
			if c, err := net.Dial("tcp", n.Target.Broker); err == nil {
				c.Close()
				return nil
			}
		}
	}
}

// Stop ends the node if Start started it.
func (n *Node) Stop() {
	if n.cmd == nil {
		return
	}
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	t := time.NewTimer(stopWait)
	defer t.Stop()
	select {
	case <-n.done:
	case <-t.C:
		_ = n.cmd.Process.Kill()
		<-n.done
	}
}

// Properties is the configuration of every node, with its data under data and
// its two listeners on port and port+1. Retention is off because the script's
// records carry old timestamps.
func Properties(data string, port int) string {
	return fmt.Sprintf(`process.roles=broker,controller
node.id=%d
controller.quorum.voters=%d@127.0.0.1:%d
listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d
advertised.listeners=PLAINTEXT://127.0.0.1:%d
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=%s
log.retention.ms=-1
controller.quorum.append.linger.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
%s
`, nodeID, nodeID, port+1, port, port+1, port, data, strings.Join(script.Settings, "\n"))
}
