package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/peer"
	"github.com/ottla/ottla/internal/quorum"
)

const (
	// firstWord is how long a node waits for the controllers before it says so, and nextWord the time between that and the same again.
	firstWord = 2 * time.Second
	nextWord  = 30 * time.Second
	// askWithin bounds the question to one controller, and maxCluster its answer.
	askWithin  = 2 * time.Second
	maxCluster = 1 << 20
	// controllers is the endpoint type of DescribeCluster.
	controllers = 2
)

// joining puts the node in its place in the cluster, and says now and then what it waits for.
func (n *Node) joining(ctx context.Context) error {
	told, stop := context.WithCancel(ctx)
	defer stop()
	n.run(func() {
		for pause := firstWord; peer.Pause(told, pause) == nil; pause = nextWord {
			n.sayWaits(told)
		}
	})
	err := n.member.join(ctx)
	if !errors.Is(err, quorum.ErrStopped) {
		return err
	}
	<-n.applier.done // the quorum has said by then why it ended
	select {
	case why := <-n.failed:
		return why
	default:
		return err
	}
}

// sayWaits logs which of the controllers a node that is starting lacks.
func (n *Node) sayWaits(ctx context.Context) {
	leader, _ := n.quorum.Leader()
	if leader == n.cfg.ID {
		return
	}
	var lacks []string
	reached := 0
	for name, connect := range n.otherControllers() {
		if wrong := n.wrongAt(ctx, connect); wrong != "" {
			lacks = append(lacks, name+": "+wrong)
		} else {
			reached++
		}
	}
	if ctx.Err() != nil {
		return
	}
	hint := "start those that are missing; each must listen where " + n.whereControllers() + " has it"
	if len(lacks) == 0 {
		hint = "all are reached: see what they log of this node, as refused, and whether their own disks are those of this cluster"
	}
	args := []any{"reached", reached, "missing", strings.Join(lacks, "; "), "cluster", n.identity.ClusterID}
	if leader != kafka.NoNode {
		n.log.Warn("waits until the active controller has this node", append(args, "leader", leader, "hint", hint)...)
		return
	}
	n.log.Warn("waits for the controllers: no majority of the voters has elected one", append(args, "hint", hint)...)
}

// whereControllers is the key by which this node finds them.
func (n *Node) whereControllers() string {
	if len(n.cfg.Voters) > 0 {
		return "controller.quorum.voters"
	}
	return "controller.quorum.bootstrap.servers, or the metadata log,"
}

// otherControllers are the ways to the other voters, or, while none is known, to those whom the configuration names.
func (n *Node) otherControllers() map[string]func(context.Context) (net.Conn, error) {
	all := map[string]func(context.Context) (net.Conn, error){}
	for _, v := range n.quorum.Status().Nodes {
		if v.ID == n.cfg.ID {
			continue
		}
		name := fmt.Sprint(v.ID)
		if len(v.Endpoints) > 0 {
			name = fmt.Sprintf("%d@%s:%d", v.ID, v.Endpoints[0].Host, v.Endpoints[0].Port)
		}
		all[name] = func(ctx context.Context) (net.Conn, error) { return n.dialVoter(ctx, v) }
	}
	if len(all) > 0 {
		return all
	}
	for _, address := range n.cfg.BootstrapServers {
		all[address] = func(ctx context.Context) (net.Conn, error) { return n.connect(ctx, address) }
	}
	return all
}

// wrongAt says in a few words why a controller is not there for this node; nothing if it seems to be.
func (n *Node) wrongAt(ctx context.Context, connect func(context.Context) (net.Conn, error)) string {
	cluster, err := n.clusterAt(ctx, connect)
	var late net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &late) && late.Timeout(): // a context's deadline is one, too
		return "no answer"
	case err != nil:
		return err.Error()
	case cluster != n.identity.ClusterID:
		return "is of another cluster, " + cluster
	}
	return ""
}

// clusterAt asks a controller for the id of its cluster.
func (n *Node) clusterAt(ctx context.Context, connect func(context.Context) (net.Conn, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	client := peer.New(peer.Options{ID: fmt.Sprint("node-", n.cfg.ID), MaxFrame: maxCluster, Dial: connect})
	defer client.Close()
	req := kmsg.NewPtrDescribeClusterRequest()
	req.SetVersion(req.MaxVersion())
	req.EndpointType = controllers
	got, err := client.Do(ctx, req)
	if err != nil {
		return "", err
	}
	resp := got.(*kmsg.DescribeClusterResponse)
	return resp.ClusterID, kerr.ErrorForCode(resp.ErrorCode)
}
