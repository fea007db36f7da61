package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// quorumTool is kafka-metadata-quorum.
type quorumTool struct {
	*jopt.Command
	*connectionArgs
	w *World

	status, replication, human *jopt.Arg
	addDryRun, removeDryRun    *jopt.Arg
	id, directory              *jopt.Arg
}

func newQuorumTool(w *World) *quorumTool {
	c := jopt.NewCommand("kafka-metadata-quorum", "This tool describes kraft metadata quorum status.")
	t := &quorumTool{Command: c, connectionArgs: connectsArgs(c), w: w}
	d := c.Sub("describe", "Describe the quorum of the metadata.")
	t.status = d.Flag("The quorum in short.", "--status")
	t.replication = d.Flag("Each replica of the metadata.", "--replication")
	t.human = d.Flag("With --replication: times as how long ago.", "--human-readable")
	add := c.Sub("add-controller", "Add the controller whose configuration --command-config names.")
	t.addDryRun = add.Flag("Say what would be done, and do nothing.", "--dry-run")
	remove := c.Sub("remove-controller", "Remove a controller.")
	t.id = remove.Option("The id of the controller.", "--controller-id", "-i").Int().Required()
	t.directory = remove.Option("The id of its directory.", "--controller-directory-id", "-d").Required()
	t.removeDryRun = remove.Flag("Say what would be done, and do nothing.", "--dry-run")
	return t
}

func metadataQuorumMain(ctx context.Context, w *World, args []string) int {
	t := newQuorumTool(w)
	f, exit, goOn := w.parseCommand(t.Command, args)
	if !goOn {
		return exit
	}
	if err := t.run(ctx, f); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func (t *quorumTool) run(ctx context.Context, f *jopt.Found) error {
	all, err := t.settings(f)
	if err != nil {
		return err
	}
	if all[bootstrapServers] == "" {
		return errNoServer
	}
	c, err := open(all)
	if err != nil {
		return err
	}
	defer c.Close()
	switch f.Sub {
	case "add-controller":
		if !f.Has(t.configs[0]) {
			return errors.New("You must supply the configuration file of the controller you are adding when using add-controller.")
		}
		return t.add(ctx, c, all, f.Has(t.addDryRun))
	case "remove-controller":
		return t.remove(ctx, c, f)
	}
	switch {
	case f.Has(t.status) && f.Has(t.replication):
		return errors.New("Only one of --status or --replication should be specified with describe sub-command")
	case f.Has(t.replication):
		return t.printReplication(ctx, c, f.Has(t.human))
	case !f.Has(t.status):
		return errors.New("One of --status or --replication must be specified with describe sub-command")
	case f.Has(t.human):
		return errors.New("The option --human-readable is only supported along with --replication")
	}
	return t.printStatus(ctx, c)
}

// quorum is what DescribeQuorum tells of __cluster_metadata-0.
type quorum struct {
	kmsg.DescribeQuorumResponseTopicPartition
	leader kmsg.DescribeQuorumResponseTopicPartitionReplicaState
	nodes  []kmsg.DescribeQuorumResponseNode
}

func (c *client) quorum(ctx context.Context) (*quorum, error) {
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic = kafka.ClusterMetadataTopic
	t.Partitions = []kmsg.DescribeQuorumRequestTopicPartition{kmsg.NewDescribeQuorumRequestTopicPartition()}
	req := kmsg.NewPtrDescribeQuorumRequest()
	req.Topics = append(req.Topics, t)
	resp, err := askAny[*kmsg.DescribeQuorumResponse](ctx, c, "describeMetadataQuorum", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, errors.New("the answer does not tell of one quorum")
	}
	q := &quorum{DescribeQuorumResponseTopicPartition: resp.Topics[0].Partitions[0], nodes: resp.Nodes}
	if err := javaCode(q.ErrorCode, q.ErrorMessage); err != nil {
		return nil, err
	}
	for _, v := range q.CurrentVoters {
		if v.ReplicaID == q.LeaderID {
			q.leader = v
			return q, nil
		}
	}
	return nil, errors.New("No value present")
}

func (t *quorumTool) printStatus(ctx context.Context, c *client) error {
	id, _, err := c.cluster(ctx, kmsg.NewPtrDescribeClusterRequest())
	if err != nil {
		return err
	}
	q, err := c.quorum(ctx)
	if err != nil {
		return err
	}
	last := slices.MinFunc(q.CurrentVoters, func(a, b kmsg.DescribeQuorumResponseTopicPartitionReplicaState) int {
		return int(max(-1, min(1, a.LogEndOffset-b.LogEndOffset)))
	})
	var lag int64 = -1
	if last.ReplicaID == q.LeaderID {
		lag = 0
	} else if q.leader.LastCaughtUpTimestamp >= 0 && last.LastCaughtUpTimestamp >= 0 {
		lag = q.leader.LastCaughtUpTimestamp - last.LastCaughtUpTimestamp
	}
	for _, line := range []struct {
		key   string
		value any
	}{
		{"ClusterId:", id}, {"LeaderId:", q.LeaderID}, {"LeaderEpoch:", q.LeaderEpoch}, {"HighWatermark:", q.HighWatermark},
		{"MaxFollowerLag:", q.leader.LogEndOffset - last.LogEndOffset}, {"MaxFollowerLagTimeMs:", lag},
		{"CurrentVoters:", q.members(q.CurrentVoters)}, {"CurrentObservers:", q.members(q.Observers)},
	} {
		t.w.printf("%-24s%v\n", line.key, line.value)
	}
	return nil
}

// members lists replicas as JSON, nearly.
func (q *quorum) members(replicas []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) string {
	var all []string
	for _, r := range replicas {
		s := `{"id": ` + strconv.Itoa(int(r.ReplicaID))
		if id := kafka.UUID(r.ReplicaDirectoryID); !id.IsZero() {
			s += `, "directoryId": "` + id.String() + `"`
		}
		var endpoints []string
		for _, n := range q.nodes {
			for _, l := range n.Listeners {
				if n.NodeID == r.ReplicaID {
					endpoints = append(endpoints, fmt.Sprintf("%q", endpoint(l.Name, l.Host, l.Port)))
				}
			}
		}
		if endpoints != nil {
			s += `, "endpoints": [` + strings.Join(endpoints, ", ") + "]"
		}
		all = append(all, s+"}")
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// endpoint is RaftVoterEndpoint.toString of Java.
func endpoint(name, host string, port uint16) string {
	return name + "://" + net.JoinHostPort(host, strconv.Itoa(int(port)))
}

func (t *quorumTool) printReplication(ctx context.Context, c *client, human bool) error {
	q, err := c.quorum(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	add := func(r kmsg.DescribeQuorumResponseTopicPartitionReplicaState, status string) error {
		fetched, err := t.moment(r.LastFetchTimestamp, human, "last fetch")
		if err != nil {
			return err
		}
		caught, err := t.moment(r.LastCaughtUpTimestamp, human, "last caught up")
		rows = append(rows, []string{strconv.Itoa(int(r.ReplicaID)), kafka.UUID(r.ReplicaDirectoryID).String(), strconv.FormatInt(r.LogEndOffset, 10),
			strconv.FormatInt(q.leader.LogEndOffset-r.LogEndOffset, 10), fetched, caught, status})
		return err
	}
	if err := add(q.leader, "Leader"); err != nil {
		return err
	}
	for _, v := range q.CurrentVoters {
		if v.ReplicaID == q.LeaderID {
			continue
		}
		if err := add(v, "Follower"); err != nil {
			return err
		}
	}
	for _, o := range q.Observers {
		if err := add(o, "Observer"); err != nil {
			return err
		}
	}
	t.w.table([]string{"NodeId", "DirectoryId", "LogEndOffset", "Lag", "LastFetchTimestamp", "LastCaughtUpTimestamp", "Status"}, rows)
	return nil
}

// moment is a timestamp, or how long ago it was.
func (t *quorumTool) moment(millis int64, human bool, what string) (string, error) {
	if millis < 0 {
		return "-1", nil
	}
	if !human {
		return strconv.FormatInt(millis, 10), nil
	}
	ago := t.w.Now().Sub(time.UnixMilli(millis))
	if millis == 0 || ago < 0 {
		return "", fmt.Errorf("Error while computing relative time, possible drift in system clock.\nCurrent timestamp is %d, %s timestamp is %d", t.w.Now().UnixMilli(), what, millis)
	}
	return strconv.FormatInt(ago.Milliseconds(), 10) + " ms ago", nil
}

func (t *quorumTool) remove(ctx context.Context, c *client, f *jopt.Found) error {
	id := f.Int(t.id)
	if id < 0 {
		return fmt.Errorf("Invalid negative --controller-id: %d", id)
	}
	directory, err := javaUUID(f.Value(t.directory))
	if err != nil {
		return fmt.Errorf("Failed to parse --controller-directory-id: %w", err)
	}
	done := "DRY RUN of removing "
	if !f.Has(t.removeDryRun) {
		done = "Removed "
		req := kmsg.NewPtrRemoveRaftVoterRequest()
		req.VoterID, req.VoterDirectoryID = id, directory
		resp, err := askAny[*kmsg.RemoveRaftVoterResponse](ctx, c, "removeRaftVoter", req)
		if err == nil {
			err = javaCode(resp.ErrorCode, resp.ErrorMessage)
		}
		if err != nil {
			return err
		}
	}
	t.w.printf("%s KRaft controller %d with directory id %s\n", done, id, directory)
	return nil
}

// voter is a controller as its configuration describes it.
type voter struct {
	id        int32
	directory kafka.UUID
	listeners []kmsg.AddRaftVoterRequestListener
}

func (t *quorumTool) add(ctx context.Context, c *client, all settings, dryRun bool) error {
	v, err := all.voter()
	if err != nil {
		return err
	}
	done := "DRY RUN of adding"
	if !dryRun {
		done = "Added"
		req := kmsg.NewPtrAddRaftVoterRequest()
		req.TimeoutMillis, req.VoterID, req.VoterDirectoryID, req.Listeners = c.timeoutMillis(), v.id, v.directory, v.listeners
		resp, err := askAny[*kmsg.AddRaftVoterResponse](ctx, c, "addRaftVoter", req)
		if err == nil {
			err = javaCode(resp.ErrorCode, resp.ErrorMessage)
		}
		if err != nil {
			return err
		}
	}
	var endpoints []string
	for _, l := range v.listeners {
		endpoints = append(endpoints, endpoint(l.Name, l.Host, l.Port))
	}
	t.w.printf("%s controller %d with directory id %s and endpoints: %s\n", done, v.id, v.directory, strings.Join(endpoints, ", "))
	return nil
}

// voter reads the configuration of a controller and the id of its metadata directory.
func (s settings) voter() (voter, error) {
	const valid = " Is this a valid controller configuration file?"
	var v voter
	id, given := s["node.id"]
	if !given {
		return v, errors.New("node.id not found in configuration file." + valid)
	}
	n, err := strconv.ParseInt(id, 10, 32)
	if err != nil {
		return v, fmt.Errorf("For input string: %q", id)
	}
	if n < 0 {
		return v, errors.New("node.id was negative in configuration file." + valid)
	}
	v.id = int32(n)
	if !strings.Contains(s["process.roles"], "controller") {
		return v, errors.New("process.roles did not contain 'controller' in configuration file." + valid)
	}
	dir, given := s["metadata.log.dir"]
	if !given {
		if dir, given = s["log.dirs"]; !given {
			return v, errors.New("Neither metadata.log.dir nor log.dirs were found." + valid)
		}
		dir, _, _ = strings.Cut(strings.TrimSpace(dir), ",")
	}
	meta, err := readSettings(filepath.Join(dir, "meta.properties"))
	if err != nil {
		return v, errors.New("Unable to read meta.properties from " + dir)
	}
	if v.directory, err = kafka.ParseUUID(meta["directory.id"]); err != nil {
		return v, errors.New("No directory id found in " + dir)
	}
	v.listeners, err = s.controllerListeners()
	return v, err
}

// controllerListeners are the addresses of the controller: those advertised, else those that it listens on.
func (s settings) controllerListeners() ([]kmsg.AddRaftVoterRequestListener, error) {
	found := map[string]kmsg.AddRaftVoterRequestListener{}
	for _, key := range []string{"listeners", "advertised.listeners"} {
		for word := range strings.SplitSeq(s[key], ",") {
			name, address, ok := strings.Cut(strings.TrimSpace(word), "://")
			if !ok {
				continue
			}
			host, port, err := net.SplitHostPort(address)
			n, perr := strconv.ParseUint(port, 10, 16)
			if err != nil || perr != nil {
				return nil, fmt.Errorf("%s: %q is not an address", key, word)
			}
			if host == "" {
				host = "localhost"
			}
			l := kmsg.NewAddRaftVoterRequestListener()
			l.Name, l.Host, l.Port = strings.ToUpper(name), host, uint16(n)
			found[l.Name] = l
		}
	}
	words, given := s["controller.listener.names"]
	if !given {
		return nil, errors.New("controller.listener.names was not found. Is this a valid controller configuration file?")
	}
	var all []kmsg.AddRaftVoterRequestListener
	for name := range strings.SplitSeq(words, ",") {
		name = strings.ToUpper(strings.TrimSpace(name))
		l, ok := found[name]
		if !ok {
			return nil, errors.New("Cannot find information about controller listener name: " + name)
		}
		all = append(all, l)
	}
	return all, nil
}
