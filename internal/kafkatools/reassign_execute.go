package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

const (
	executeTwice = "Cannot execute because there is an existing partition assignment.  Use --additional to override this and create a new partition assignment in addition to the existing one. The --additional flag can also be used to change the throttle by resubmitting the current reassignment."
	verifyOften  = "Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed."
)

// runExecute is --execute.
func (t *reassignTool) runExecute(ctx context.Context) error {
	f, p, err := t.executed()
	if err != nil {
		return err
	}
	to, err := f.targets()
	if err != nil {
		return err
	}
	underWay, err := t.c.reassignments(ctx, nil)
	if err != nil {
		return inFuture(err)
	}
	if !t.set.Has(t.additional) && len(underWay) > 0 {
		return terseError(executeTwice)
	}
	nodes, err := t.c.nodes(ctx)
	if err != nil {
		return inFuture(err)
	}
	if err := brokersExist(nodes, to); err != nil {
		return err
	}
	placed, err := t.placedPartitions(ctx, to)
	if err != nil {
		return err
	}
	before, err := t.current(ctx, placed, nodes)
	if err != nil {
		return err
	}
	t.w.printf("Current partition replica assignment\n\n%s\n\nSave this to use as the --reassignment-json-file option during rollback\n", before)
	if p.brokers >= 0 || p.dirs >= 0 {
		t.w.println(verifyOften)
	}
	if p.brokers >= 0 {
		if err := t.throttleTransfers(ctx, transfers(underWay, to, placed), p.brokers); err != nil {
			return inFuture(err)
		}
	}
	if p.dirs >= 0 {
		if err := t.throttleMoves(ctx, f.dirs, p.dirs); err != nil {
			return inFuture(err)
		}
	}
	if failed := t.c.reassign(ctx, to, !t.set.Has(t.sameFactor)); len(failed) > 0 {
		return terseError("Error reassigning partition(s):\n" + failures(failed))
	}
	t.w.printf("Successfully started partition reassignment%s for %s\n", plural(len(to)), joinPartitions(sortedPartitions(to), ","))
	return t.moveAll(ctx, f.dirs, p.wait)
}

// pace is what the command line says of throttles, in bytes a second, or negative for none; and of how long to wait for moves to begin.
type pace struct {
	brokers, dirs int64
	wait          time.Duration
}

// executed reads what --execute is told.
func (t *reassignTool) executed() (wantedFile, pace, error) {
	var p pace
	text, err := t.readFile(t.file)
	if err != nil {
		return wantedFile{}, p, err
	}
	if p.brokers, err = t.set.Int(t.throttle, 64); err != nil {
		return wantedFile{}, p, err
	}
	if p.dirs, err = t.set.Int(t.dirThrottle, 64); err != nil {
		return wantedFile{}, p, err
	}
	if p.wait, err = t.wait(); err != nil {
		return wantedFile{}, p, err
	}
	f, err := parseReassignments(text)
	return f, p, err
}

// wait is --timeout.
func (t *reassignTool) wait() (time.Duration, error) {
	millis, err := t.set.Int(t.timeout, 64)
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(max(min(millis, most), -1)) * time.Millisecond, err
}

// failures name partitions with what is wrong with each.
func failures(failed map[kafka.TopicPartition]error) string {
	var lines []string
	for _, tp := range sortedPartitions(failed) {
		lines = append(lines, tp.String()+": "+failed[tp].Error())
	}
	return strings.Join(lines, "\n")
}

// brokersExist refuses brokers that are not there.
func brokersExist(nodes []clusterNode, to map[kafka.TopicPartition][]int32) error {
	var brokers []int32
	for _, tp := range partitionOrder(sortedPartitions(to)) {
		brokers = append(brokers, to[tp]...)
	}
	for _, b := range java.HashOrder(distinct(brokers), java.HashInt) {
		if !slices.ContainsFunc(nodes, func(n clusterNode) bool { return n.id == b }) {
			return fmt.Errorf("Unknown broker id %d", b)
		}
	}
	return nil
}

// placedPartitions are the replicas that partitions have. All of them must exist.
func (t *reassignTool) placedPartitions(ctx context.Context, of map[kafka.TopicPartition][]int32) (map[kafka.TopicPartition][]int32, error) {
	order := partitionOrder(sortedPartitions(of))
	var names []string
	for _, tp := range order {
		names = append(names, tp.Topic)
	}
	topics, err := t.placed(ctx, names)
	if err != nil {
		return nil, err
	}
	all := replicasOfTopics(topics)
	placed := map[kafka.TopicPartition][]int32{}
	var missing []kafka.TopicPartition
	for _, tp := range java.HashOrderSized(order, max(len(order)*4/3+1, 16), hashPartition) {
		if replicas, there := all[tp]; there {
			placed[tp] = replicas
		} else {
			missing = append(missing, tp)
		}
	}
	if missing != nil {
		return nil, unknownPartition("Unable to find partition: " + joinPartitions(missing, ", "))
	}
	return placed, nil
}

// throttleTransfers bounds what moves between brokers, in bytes a second.
func (t *reassignTool) throttleTransfers(ctx context.Context, all map[kafka.TopicPartition]transfer, rate int64) error {
	topics := throttledReplicas(all)
	var changes []altered
	for _, topic := range sortedKeys(topics) {
		changes = append(changes, altered{resource{kmsg.ConfigResourceTypeTopic, topic}, topics[topic]})
	}
	if err := t.c.alterConfigs(ctx, changes...); err != nil {
		return err
	}
	text := strconv.FormatInt(rate, 10)
	if err := t.c.alterBrokers(ctx, transferring(all), alteration{leaderRate, &text}, alteration{followerRate, &text}); err != nil {
		return err
	}
	t.w.println("The inter-broker throttle limit was set to " + text + " B/s")
	return nil
}

// throttleMoves bounds what moves between the directories of brokers, in bytes a second.
func (t *reassignTool) throttleMoves(ctx context.Context, dirs map[replicaID]string, rate int64) error {
	var brokers []int32
	for _, r := range sortedReplicas(dirs) {
		brokers = append(brokers, r.broker)
	}
	text := strconv.FormatInt(rate, 10)
	if err := t.c.alterBrokers(ctx, distinct(brokers), alteration{dirsRate, &text}); err != nil {
		return err
	}
	t.w.println("The replica-alter-dir throttle limit was set to " + text + " B/s")
	return nil
}

// moveAll has brokers begin to move replicas to directories. A replica that is not there yet, because its partition is just being reassigned
// to the broker, is asked for again until the time to wait has passed.
func (t *reassignTool) moveAll(ctx context.Context, dirs map[replicaID]string, wait time.Duration) error {
	began := t.w.Now()
	for len(dirs) > 0 {
		answers := t.c.moveReplicas(ctx, dirs)
		left := map[replicaID]string{}
		for _, r := range sortedReplicas(answers) {
			switch err := answers[r]; {
			case err == nil:
			case isCode(err, kerr.ReplicaNotAvailable):
				left[r] = dirs[r]
			default:
				return errors.New("Failed to alter dir for " + r.String())
			}
		}
		for _, r := range sortedReplicas(dirs) {
			if _, waits := left[r]; !waits {
				t.w.printf("Successfully started moving log directory to %s for replica %s with broker %d \n", dirs[r], r.TopicPartition, r.broker)
			}
		}
		if dirs = left; len(dirs) == 0 {
			return nil
		}
		if t.w.Now().Sub(began) >= wait {
			return tooLate(dirs)
		}
		t.w.flush()
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// tooLate names the replicas whose moves did not begin in time.
func tooLate(dirs map[replicaID]string) error {
	var words []string
	for _, r := range sortedReplicas(dirs) {
		words = append(words, r.String())
	}
	return terseError("Timed out before log directory move" + plural(len(words)) + " could be started for: " + strings.Join(words, ","))
}
