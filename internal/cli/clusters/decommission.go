package clusters

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/clusters/moves"
	"github.com/ottla/ottla/internal/cli/command"
)

// retiring holds the flags of `ottla cluster decommission`.
type retiring struct {
	broker     int32
	unregister bool
	noWait     bool
	danger     command.Danger
}

func clusterDecommission(a *command.App) *cobra.Command {
	r := &retiring{danger: command.Danger{Does: "moves all replicas of a broker"}}
	cmd := &cobra.Command{
		Use:   "decommission BROKER",
		Short: "Move all replicas of a broker to the others, so that it can go for good",
		Long: "Move all replicas of a broker to the others, each to a rack that has the fewest of its partition, and evenly by their number. The\n" +
			"other replicas stay as they are. The command shows the moves, asks, and waits until the new replicas are in sync. Ctrl-C ends the\n" +
			"waiting, not the moves; the same command goes on. The broker may be down.\n\n" +
			"--unregister then waits until the node is stopped and its session has ended, and has the cluster forget it.",
		Example: "  ottla cluster decommission 4 --dry-run\n" +
			"  ottla cluster decommission 4 --unregister --yes",
		Args:              command.Args(1, 1, "the id of a BROKER"),
		ValidArgsFunction: a.CompleteBrokers,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if r.broker, err = parseBroker(args[0]); err != nil {
				return err
			}
			if r.noWait && r.unregister {
				return command.Usagef("--unregister waits for the moves: not with --no-wait")
			}
			if err := a.MayAsk(r.danger); err != nil {
				return err
			}
			return r.run(cmd.Context(), a)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&r.unregister, "unregister", false, "wait until the node is stopped, and have the cluster forget the broker")
	f.BoolVar(&r.noWait, "no-wait", false, "begin the moves and do not wait for them")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	r.danger.Flags(f)
	return a.Prints(cmd, command.ListOf[moving]("MoveList", "moves"))
}

func (r *retiring) what() string { return fmt.Sprintf("decommission broker %d", r.broker) }

func (r *retiring) run(ctx context.Context, a *command.App) error {
	s, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := bounded(ctx, a, func(ctx context.Context) (*layout, error) {
		l, err := lookAtLayout(ctx, s)
		if err == nil {
			err = r.known(ctx, s, l)
		}
		return l, err
	})
	if err != nil {
		return err
	}
	plan, err := moves.Evacuate(l.others(r.broker), l.partitions, r.broker)
	if err != nil {
		return unplanned(s, r.what(), err, "`ottla cluster reassign --replicas` gives it fewer, another broker makes room")
	}
	going := slices.DeleteFunc(inFlight(l.flights, nil), func(m moving) bool { return !slices.Contains(m.Removing, r.broker) })
	return carryOut(ctx, a, s, order{what: r.what(), plan: plan, going: going, danger: r.danger, wait: !r.noWait, after: func(ctx context.Context) error {
		return r.retire(ctx, a, s)
	}})
}

// known makes sure that there is such a broker: it is up, has replicas, or is registered.
func (r *retiring) known(ctx context.Context, s *command.Server, l *layout) error {
	has := slices.ContainsFunc(l.partitions, func(p moves.Partition) bool { return slices.Contains(p.Replicas, r.broker) })
	if has || l.isUp(r.broker) {
		return nil
	}
	fenced, err := fencedBrokers(ctx, s)
	if err != nil {
		return s.Failed(r.what(), err)
	}
	if slices.Contains(fenced, r.broker) {
		return nil
	}
	return &command.Error{What: r.what(), Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("there is no broker %d", r.broker),
		Hint: "`ottla cluster brokers` shows those that are up"}
}

// fencedBrokers are those that are registered and not up (KIP-1073); an older server does not tell of them.
func fencedBrokers(ctx context.Context, s *command.Server) ([]int32, error) {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeFencedBrokers = true
	resp, err := req.RequestWith(ctx, s.Client)
	if err == nil {
		err = command.Answered(kerr.ErrorForCode(resp.ErrorCode), command.OrEmpty(resp.ErrorMessage))
	}
	if err != nil {
		return nil, err
	}
	var fenced []int32
	for _, b := range resp.Brokers {
		if b.IsFenced {
			fenced = append(fenced, b.NodeID)
		}
	}
	return fenced, nil
}

// retire makes sure that the broker has nothing left, says that it can be stopped, and has it forgotten where that is wanted.
func (r *retiring) retire(ctx context.Context, a *command.App, s *command.Server) error {
	var l *layout
	left := 0
	err := command.Until(ctx, firstLook, staleFor, func(ctx context.Context) (bool, error) {
		now, err := lookAtLayout(ctx, s)
		if err != nil {
			return false, err
		}
		l, left = now, 0
		for _, p := range l.partitions {
			if slices.Contains(p.Replicas, r.broker) {
				left++
			}
		}
		return left == 0, nil
	})
	switch {
	case err != nil:
		return err
	case left > 0:
		return &command.Error{What: r.what(), Where: s.Where, Err: fmt.Errorf("it got %s meanwhile", command.Count(int64(left), "replica")),
			Hint: "do it again; cordoned.log.dirs=* of the broker keeps new ones away"}
	}
	up := l.isUp(r.broker)
	if up {
		a.Notice("broker %d has no replica left: its node can be stopped", r.broker)
		r.votes(ctx, a, s)
	}
	if !r.unregister {
		return nil
	}
	if up {
		a.Notice("waiting until it is …")
		if err := r.stopped(ctx, a, s); err != nil {
			return err
		}
	}
	return r.forget(ctx, a, s)
}

// votes tells who stops a voter what that means. Where the quorum is not known, nothing is said.
func (r *retiring) votes(ctx context.Context, a *command.App, s *command.Server) {
	q, err := bounded(ctx, a, func(ctx context.Context) (*kmsg.DescribeQuorumResponseTopicPartition, error) {
		return askQuorum(ctx, s)
	})
	if err != nil {
		return
	}
	for _, v := range q.CurrentVoters {
		if n := len(q.CurrentVoters); v.ReplicaID == r.broker {
			a.Notice("but node %d votes on metadata: %d of %d voters are left without it, and %d must be up", r.broker, n-1, n, n/2+1)
		}
	}
}

// stopped waits until the broker is fenced, however long that takes.
func (r *retiring) stopped(ctx context.Context, a *command.App, s *command.Server) error {
	ctx, stop := a.Interruptible(ctx)
	defer stop()
	failed := 0
	err := command.Until(ctx, lastLook/2, 0, func(ctx context.Context) (bool, error) {
		meta, err := bounded(ctx, a, func(ctx context.Context) (*kmsg.MetadataResponse, error) {
			req := kmsg.NewPtrMetadataRequest()
			req.Topics = []kmsg.MetadataRequestTopic{} // none
			return req.RequestWith(ctx, s.Client)
		})
		if err != nil {
			if failed++; failed < mostErrors {
				err = nil // the node that was asked may be the one that is stopped
			}
			return false, err
		}
		failed = 0
		return !slices.ContainsFunc(meta.Brokers, func(b kmsg.MetadataResponseBroker) bool { return b.NodeID == r.broker }), nil
	})
	if ctx.Err() != nil {
		return &command.Error{What: r.what(), Where: s.Where, Err: fmt.Errorf("interrupted: its replicas have moved, and it is registered yet"),
			Hint: fmt.Sprintf("`ottla cluster decommission %d --unregister%s` goes on", r.broker, a.Again())}
	}
	if err != nil {
		return s.Failed(r.what(), err)
	}
	return nil
}

// forget unregisters the broker.
func (r *retiring) forget(ctx context.Context, a *command.App, s *command.Server) error {
	resp, err := bounded(ctx, a, func(ctx context.Context) (*kmsg.UnregisterBrokerResponse, error) {
		req := kmsg.NewPtrUnregisterBrokerRequest()
		req.BrokerID = r.broker
		return req.RequestWith(ctx, s.Client)
	})
	if err == nil {
		err = command.Answered(kerr.ErrorForCode(resp.ErrorCode), command.OrEmpty(resp.ErrorMessage))
	}
	if err != nil {
		return s.Failed(fmt.Sprintf("unregister broker %d", r.broker), err)
	}
	a.Notice("the cluster has forgotten broker %d", r.broker)
	return nil
}
