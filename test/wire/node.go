package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/wire/script"
)

// clusterID is that of every node here. It is no id that an answer has for another reason: it is replaced wherever it stands.
const clusterID = "d2lyZS1jb21wYXJpc29uIQ"

// stopWait is how long a node may take to end.
const stopWait = 20 * time.Second

// startNode starts the node called name (kafka, ottla, or addr:BROKER[,CONTROLLER] for one that runs already) with its data under dir, on
// port and port+1. Call stop when done.
func startNode(ctx context.Context, name, dir string, port int) (at script.Target, stop func() error, err error) {
	if addr, ok := strings.CutPrefix(name, "addr:"); ok {
		broker, controller, _ := strings.Cut(addr, ",")
		return script.Target{Broker: broker, Controller: controller, NodeID: peer.NodeID}, func() error { return nil }, nil
	}
	p, err := peer.Start(ctx, peer.Kind(name), peer.Options{
		Dir: filepath.Join(dir, "data"), Listen: loopback(port), Controller: loopback(port + 1),
		ClusterID: clusterID, Properties: properties(), Short: true,
	})
	if err != nil {
		return script.Target{}, nil, err
	}
	stop = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
		defer cancel()
		return p.Stop(ctx)
	}
	return script.Target{Broker: p.Addr(), Controller: p.ControllerAddr(), Dirs: []string{p.Dir()}, ClusterID: clusterID, NodeID: peer.NodeID}, stop, nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// properties are what both nodes get beside what every test gives them. Retention is off because the script's records carry old
// timestamps.
func properties() map[string]string {
	p := map[string]string{
		"log.retention.ms":                     "-1",
		"controller.quorum.append.linger.ms":   "0",
		"offsets.topic.num.partitions":         "1",
		"transaction.state.log.num.partitions": "1",
	}
	for _, line := range script.Settings {
		key, value, _ := strings.Cut(line, "=")
		p[key] = value
	}
	return p
}
