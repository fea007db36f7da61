package clusters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// checkup is one thing that was looked at.
type checkup struct {
	Check string `json:"check"`
	// State is "ok", "warning" (nothing is lost or refused yet), "bad", "unknown" (it could not be found out, which is not well either), or
	// "unsupported" where the server has no answer to that, which is well.
	State  string `json:"state"`
	Detail string `json:"detail"`
	// Where names partitions, nodes or directories.
	Where []string `json:"where"`
}

// health is what `cluster health` tells.
type health struct {
	Healthy bool      `json:"healthy"`
	Checks  []checkup `json:"checks"`
}

func clusterHealth(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Check that everything can be read and written; exit code 1 if not",
		Long: "Check that there is a controller, that all voters and brokers are there, that every partition has a leader and enough replicas\n" +
			"in sync, and that every log directory can be used. Exit code 0 is well, also with warnings; 1 is not, or could not be found out.",
		Args: command.Args(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				h, err := examine(ctx, s)
				if err != nil {
					return s.Failed("cluster health", err)
				}
				return h.print(a, s)
			})
		},
	}
	return a.Prints(cmd, command.ObjectOf[health]("ClusterHealth"))
}

func (h *health) print(a *command.App, s *command.Server) error {
	var err error
	if a.Output.Value == "table" {
		err = a.Table(command.TableOf(h.Checks, checkupColumns))
	} else {
		err = a.Object("ClusterHealth", h)
	}
	if err == nil && !h.Healthy {
		var bad []string
		for _, c := range h.Checks {
			switch c.State {
			case "bad":
				bad = append(bad, c.Check)
			case "unknown":
				bad = append(bad, c.Check+" (unknown)")
			}
		}
		err = &command.Error{What: "cluster health", Where: s.Where, Err: errors.New("not well: " + strings.Join(bad, ", ")), Exit: command.Failed}
	}
	return err
}

func examine(ctx context.Context, s *command.Server) (*health, error) {
	meta, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, s.Client)
	if err != nil {
		return nil, err
	}
	told := append([]checkup{present(ctx, s, meta)}, partitions(ctx, s, meta)...)
	dirs := directories(ctx, s)
	h := &health{Healthy: true, Checks: quorumChecks(ctx, s)}
	led := h.Checks[0].State == "ok" || h.Checks[0].State == "unsupported"
	for i := range told {
		if c := &told[i]; !led && c.State == "ok" {
			c.State, c.Detail = "unknown", "as last heard: "+c.Detail
		}
	}
	h.Checks = append(append(h.Checks, told...), dirs)
	for _, c := range h.Checks {
		h.Healthy = h.Healthy && c.State != "bad" && c.State != "unknown"
	}
	return h, nil
}

// grade makes a check of what was found: of nothing a good one.
func grade(check, state, good, detail string, where []string) checkup {
	if len(where) == 0 {
		return checkup{check, "ok", good, []string{}}
	}
	slices.Sort(where)
	return checkup{check, state, fmt.Sprintf("%d %s", len(where), detail), where}
}

// partitions sorts out those that are not well, each by all that is wrong with it.
func partitions(ctx context.Context, s *command.Server, meta *kmsg.MetadataResponse) []checkup {
	least, err := leastInSync(ctx, s, meta)
	var leaderless, refused, edge, behind []string
	for _, t := range meta.Topics {
		topic := command.ToTopic(t)
		for _, p := range topic.Partitions {
			name := fmt.Sprintf("%s-%d", topic.Name, p.Partition)
			enough := least[topic.Name]
			if p.Leader < 0 {
				leaderless = append(leaderless, name)
			}
			if len(p.ISR) < enough {
				refused = append(refused, name)
			}
			if len(p.ISR) == enough && len(p.Replicas) > enough {
				edge = append(edge, name)
			}
			if len(p.ISR) < len(p.Replicas) {
				behind = append(behind, name)
			}
		}
	}
	under := grade("replicas in sync", "bad", "every partition has min.insync.replicas or more", "below min.insync.replicas: acks=all is refused", refused)
	reserve := grade("reserve", "warning", "every partition can lose a replica more, or has but the least", "at min.insync.replicas: the next loss refuses acks=all", edge)
	switch {
	case err != nil:
		under = checkup{"replicas in sync", "unknown", command.OneLine(err), []string{}}
		reserve = checkup{"reserve", "unknown", command.OneLine(err), []string{}}
	case len(refused) > 0 && len(edge) == 0:
		reserve.Detail = "every other partition can lose a replica more, or has but the least"
	}
	return []checkup{
		grade("leaders", "bad", "every partition has a leader", "without a leader", leaderless), under, reserve,
		grade("replication", "warning", "every replica is in sync", "with replicas that are behind", behind),
	}
}

// leastInSync asks for the min.insync.replicas of all topics.
func leastInSync(ctx context.Context, s *command.Server, meta *kmsg.MetadataResponse) (map[string]int, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, t := range meta.Topics {
		if t.Topic == nil {
			continue
		}
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, *t.Topic, []string{"min.insync.replicas"}
		req.Resources = append(req.Resources, r)
	}
	least := map[string]int{}
	if len(req.Resources) == 0 {
		return least, nil
	}
	resp, err := req.RequestWith(ctx, s.Client)
	if err != nil {
		return nil, err
	}
	for _, r := range resp.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return nil, err
		}
		for _, k := range r.Configs {
			if k.Name == "min.insync.replicas" && k.Value != nil {
				least[r.ResourceName], _ = strconv.Atoi(*k.Value) // 0 where it is no number: nothing is below that
			}
		}
	}
	return least, nil
}

// directories looks for log directories that can't be used.
func directories(ctx context.Context, s *command.Server) checkup {
	const name = "log directories"
	ctx, cancel := halfOf(ctx)
	defer cancel()
	all, err := logDirs(ctx, s, 0)
	if err != nil {
		return checkup{name, "unknown", command.OneLine(err), []string{}}
	}
	var bad []string
	for _, d := range all {
		if d.Error != "" {
			bad = append(bad, fmt.Sprintf("%d:%s", d.Broker, d.Dir))
		}
	}
	return grade(name, "bad", "every one of "+strconv.Itoa(len(all))+" can be used", "offline", bad)
}

// manyPlaces is how many a table names.
const manyPlaces = 5

var checkupColumns = []command.Column[checkup]{
	{Name: "CHECK", Value: func(c checkup) string { return c.Check }},
	{Name: "STATE", Value: func(c checkup) string { return c.State }},
	{Name: "DETAIL", Value: func(c checkup) string { return c.Detail }},
	{Name: "WHERE", Value: func(c checkup) string {
		if len(c.Where) > manyPlaces {
			return strings.Join(c.Where[:manyPlaces], ", ") + ", …"
		}
		return strings.Join(c.Where, ", ")
	}},
}
