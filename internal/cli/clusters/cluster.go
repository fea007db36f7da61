package clusters

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// broker is a broker as clients see it.
type broker struct {
	ID         int32  `json:"id"`
	Host       string `json:"host"`
	Port       int32  `json:"port"`
	Rack       string `json:"rack,omitempty"`
	Controller bool   `json:"controller"`
	Leaders    int    `json:"leaders"`
	Replicas   int    `json:"replicas"`
}

// feature is a finalized feature of the cluster.
type feature struct {
	Name  string `json:"name"`
	Level int16  `json:"level"`
}

// cluster is what `cluster info` tells.
type cluster struct {
	ID         string    `json:"clusterId"`
	Controller int32     `json:"controller"` // leads the metadata quorum; -1 if nobody does, or it is not told
	Brokers    []broker  `json:"brokers"`
	Topics     int       `json:"topics"`
	Internal   int       `json:"internalTopics"` // of them
	Partitions int       `json:"partitions"`
	Leaderless int       `json:"partitionsWithoutLeader"`
	Lagging    int       `json:"partitionsUnderReplicated"`
	Features   []feature `json:"features"`
}

// Command is `ottla cluster`.
func Command(a *command.App) *cobra.Command {
	cmd := command.Parent(&cobra.Command{Use: "cluster", Short: "Look at the cluster as a whole, move replicas, let brokers go"},
		clusterInfo(a), clusterHealth(a), clusterBrokers(a), clusterQuorum(a), clusterFeatures(a), clusterLogDirs(a),
		clusterReassign(a), clusterDrain(a), clusterDecommission(a), clusterUpgrade(a))
	a.ClientFlags(cmd.PersistentFlags())
	return cmd
}

func clusterInfo(a *command.App) *cobra.Command {
	return a.Prints(&cobra.Command{
		Use:   "info",
		Short: "Show the cluster's id, brokers and features, and whether all partitions are well",
		Args:  command.Args(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				c, err := lookAt(ctx, s)
				if err != nil {
					return s.Failed("cluster info", err)
				}
				return printCluster(a, c)
			})
		},
	}, command.ObjectOf[cluster]("ClusterInfo"))
}

func lookAt(ctx context.Context, s *command.Server) (*cluster, error) {
	meta, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, s.Client)
	if err != nil {
		return nil, err
	}
	if len(meta.Brokers) == 0 {
		return nil, command.ErrNoBrokers
	}
	features, err := features(ctx, s)
	if err != nil {
		return nil, err
	}
	c := &cluster{Controller: activeController(ctx, s, meta), Features: features, Topics: len(meta.Topics)}
	if meta.ClusterID != nil {
		c.ID = *meta.ClusterID
	}
	leaders, replicas := map[int32]int{}, map[int32]int{}
	for _, t := range meta.Topics {
		if t.IsInternal {
			c.Internal++
		}
		for _, p := range command.ToTopic(t).Partitions {
			c.Partitions++
			leaders[p.Leader]++
			for _, r := range p.Replicas {
				replicas[r]++
			}
			if len(p.ISR) < len(p.Replicas) {
				c.Lagging++
			}
		}
	}
	c.Leaderless = leaders[-1]
	for _, b := range meta.Brokers {
		row := broker{ID: b.NodeID, Host: b.Host, Port: b.Port, Controller: b.NodeID == c.Controller, Leaders: leaders[b.NodeID], Replicas: replicas[b.NodeID]}
		if b.Rack != nil {
			row.Rack = *b.Rack
		}
		c.Brokers = append(c.Brokers, row)
	}
	slices.SortFunc(c.Brokers, func(x, y broker) int { return int(x.ID - y.ID) })
	return c, nil
}

// features returns the finalized features, none from a server that has no such thing.
func features(ctx context.Context, s *command.Server) ([]feature, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla", command.SoftwareVersion()
	resp, err := req.RequestWith(ctx, s.Client)
	if err != nil {
		return nil, err
	}
	all := []feature{}
	for _, f := range resp.FinalizedFeatures {
		all = append(all, feature{f.Name, f.MaxVersionLevel})
	}
	slices.SortFunc(all, func(x, y feature) int { return strings.Compare(x.Name, y.Name) })
	return all, nil
}

func printCluster(a *command.App, c *cluster) error {
	if a.Output.Value != "table" {
		return a.Object("ClusterInfo", c)
	}
	var features []string
	for _, f := range c.Features {
		features = append(features, fmt.Sprintf("%s=%d", f.Name, f.Level))
	}
	health := "all partitions have a leader and all replicas are in sync"
	if c.Leaderless+c.Lagging > 0 {
		health = fmt.Sprintf("%s without a leader, %s under-replicated", command.Count(int64(c.Leaderless), "partition"), command.Count(int64(c.Lagging), "partition"))
	}
	fmt.Fprintf(a.Out, "Cluster:     %s\nController:  %s\nTopics:      %d (%s, %s)\nHealth:      %s\nFeatures:    %s\n\n",
		c.ID, command.OrDash(c.Controller >= 0, int64(c.Controller)), c.Topics, command.Count(int64(c.Partitions), "partition"), command.Count(int64(c.Internal), "internal topic"), health, strings.Join(features, ", "))
	return a.Table(command.TableOf(c.Brokers, brokerColumns))
}

var brokerColumns = []command.Column[broker]{
	{Name: "BROKER", Value: func(b broker) string { return strconv.Itoa(int(b.ID)) }, Number: true},
	{Name: "HOST", Value: func(b broker) string { return b.Host }},
	{Name: "PORT", Value: func(b broker) string { return strconv.Itoa(int(b.Port)) }, Number: true},
	{Name: "LEADERS", Value: func(b broker) string { return strconv.Itoa(b.Leaders) }, Number: true},
	{Name: "REPLICAS", Value: func(b broker) string { return strconv.Itoa(b.Replicas) }, Number: true},
	{Name: "RACK", Value: func(b broker) string { return b.Rack }},
}
