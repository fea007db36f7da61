package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/adminhttp"
)

// bindAdmin opens the socket of metrics and health, if there is to be one.
func (n *Node) bindAdmin() error {
	at := n.cfg.Metrics.Listener
	if at == "" {
		return nil
	}
	var err error
	if n.adminSocket, err = n.opts.Listen("tcp", at); err != nil {
		return fmt.Errorf("can't listen on %s: %w: stop the other process, or give another address by ottla.metrics.listener", at, err)
	}
	n.admin = adminhttp.NewServer(adminhttp.Options{
		Metrics: n.metrics(), Detail: n.partitionMetrics(), Kafka: n.kafkaMetrics(), Ready: n.checks, Profiles: n.cfg.Metrics.Profiles,
	})
	return nil
}

func (n *Node) serveAdmin() {
	if n.admin == nil {
		return
	}
	server, socket := n.admin, n.adminSocket
	n.run(func() {
		if err := server.Serve(socket); err != nil {
			n.log.Error("metrics are not served", "err", err)
		}
	})
}

// closeAdmin ends what bindAdmin began, whether or not it ever served.
func (n *Node) closeAdmin(ctx context.Context) error {
	if n.admin == nil {
		return nil
	}
	err := n.admin.Close(ctx)
	_ = n.adminSocket.Close() // once more, for a server that never served
	return err
}

// MetricsAddress is where metrics and health are told, empty if nowhere.
func (n *Node) MetricsAddress() string {
	if n.adminSocket == nil {
		return ""
	}
	return n.adminSocket.Addr().String()
}

var (
	errStarting = errors.New("the node is starting or stopping")
	errFenced   = errors.New("the controller keeps the broker fenced")
)

// checks are what a node that is ready has.
func (n *Node) checks() []adminhttp.Check {
	var serving, unfenced error
	if !n.serving.Load() {
		serving = errStarting
	}
	if b := n.quorum.Image().Cluster.Broker(n.cfg.ID); n.cfg.Broker && (b == nil || b.Fenced) {
		unfenced = errFenced
	}
	return []adminhttp.Check{{Name: "serving", Err: serving}, {Name: "unfenced", Err: unfenced}}
}

func (n *Node) ready() bool {
	for _, c := range n.checks() {
		if c.Err != nil {
			return false
		}
	}
	return true
}
