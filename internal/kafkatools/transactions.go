package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// transactionsTool is kafka-transactions.
type transactionsTool struct {
	*jopt.Command
	*connectionArgs
	w *World

	duration, pattern                  *jopt.Arg // list
	id                                 *jopt.Arg // describe
	broker, topic, partition           *jopt.Arg // describe-producers
	abortTopic, abortPartition, start  *jopt.Arg // abort
	producer, epoch, coordinatorEpoch  *jopt.Arg
	hangBroker, hangTimeout            *jopt.Arg // find-hanging
	hangTopic, hangPartition, forceful *jopt.Arg
}

func newTransactionsTool(w *World) *transactionsTool {
	c := jopt.NewCommand("kafka-transactions.sh", "This tool is used to analyze the transactional state of producers in the cluster.")
	c.Flag("Print the version.", "-v", "--version").Version()
	t := &transactionsTool{Command: c, connectionArgs: connectsArgs(c), w: w}
	list := c.Sub("list", "List transactions.")
	t.duration = list.Option("Only those that have run for longer, in milliseconds.", "--duration-filter")
	t.pattern = list.Option("Only those whose transactional id matches a regular expression.", "--transactional-id-pattern")
	describe := c.Sub("describe", "Describe the transaction of a transactional id.")
	t.id = describe.Option("The transactional id.", "--transactional-id").Required()
	producers := c.Sub("describe-producers", "Describe the producers of a partition.")
	t.broker = producers.Option("Ask this broker, not the leader.", "--broker-id").Int()
	t.topic = producers.Option("The topic.", "--topic").Required()
	t.partition = producers.Option("The partition.", "--partition").Int().Required()
	abort := c.Sub("abort", "Abort a transaction that hangs.")
	t.abortTopic = abort.Option("The topic.", "--topic").Required()
	t.abortPartition = abort.Option("The partition.", "--partition").Int().Required()
	t.start = abort.Option("The offset at which the transaction begins.", "--start-offset")
	t.producer = abort.Option("For servers before 3.0: the id of the producer.", "--producer-id")
	t.epoch = abort.Option("For servers before 3.0: its epoch.", "--producer-epoch").Int()
	t.coordinatorEpoch = abort.Option("For servers before 3.0: the epoch of its coordinator.", "--coordinator-epoch").Int()
	hanging := c.Sub("find-hanging", "Find transactions that hang.")
	t.hangBroker = hanging.Option("Search the partitions of this broker.", "--broker-id").Int()
	t.hangTimeout = hanging.Option("The longest transaction.max.timeout.ms, in minutes.", "--max-transaction-timeout").Int().Default("15")
	t.hangTopic = hanging.Option("Search this topic.", "--topic")
	t.hangPartition = hanging.Option("Search this partition of the topic.", "--partition").Int()
	force := c.Sub("forceTerminateTransaction", "End the transaction of a transactional id by force.")
	t.forceful = force.Option("The transactional id.", "--transactionalId").Required()
	return t
}

func transactionsMain(ctx context.Context, w *World, args []string) int {
	t := newTransactionsTool(w)
	f, exit, goOn := w.parseCommand(t.Command, args)
	if !goOn {
		return exit
	}
	err := func() error {
		all, err := t.settings(f)
		if err != nil {
			return err
		}
		if all[bootstrapServers] == "" {
			return errors.New("argument --bootstrap-server is required")
		}
		c, err := open(all)
		if err != nil {
			return err
		}
		defer c.Close()
		return t.run(ctx, c, f)
	}()
	if err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func (t *transactionsTool) run(ctx context.Context, c *client, f *jopt.Found) error {
	switch f.Sub {
	case "list":
		return t.listTransactions(ctx, c, f)
	case "describe":
		return t.describeTransaction(ctx, c, f.Value(t.id))
	case "describe-producers":
		return t.describeProducers(ctx, c, f)
	case "abort":
		return t.abortTransaction(ctx, c, f)
	case "find-hanging":
		return t.findHanging(ctx, c, f)
	}
	return errors.New(f.Sub + " is not there yet: it comes with transactions")
}

// debugging ends the messages of the tool.
func debugging(what string, err error) error {
	return fmt.Errorf("%s: %w. Enable debug logging for additional detail.", what, err)
}

func (t *transactionsTool) listTransactions(ctx context.Context, c *client, f *jopt.Found) error {
	req := kmsg.NewPtrListTransactionsRequest()
	if f.Has(t.duration) {
		n, err := strconv.ParseInt(f.Value(t.duration), 10, 64)
		if err != nil {
			return fmt.Errorf("argument --duration-filter: %q is no number", f.Value(t.duration))
		}
		req.DurationFilterMillis = n
	}
	if f.Has(t.pattern) {
		req.TransactionalIDPattern = kmsg.StringPtr(f.Value(t.pattern))
	}
	nodes, err := c.nodes(ctx)
	if err != nil {
		return debugging("Failed to list transactions", err)
	}
	var rows [][]string
	for _, n := range java.HashOrder(nodes, func(n clusterNode) int32 { return n.id }) {
		resp, err := askNode[*kmsg.ListTransactionsResponse](ctx, c, n.id, "listTransactions", req)
		if err == nil {
			err = javaCode(resp.ErrorCode, nil)
		}
		if err != nil {
			return debugging("Failed to list transactions", err)
		}
		for _, s := range resp.TransactionStates {
			rows = append(rows, []string{s.TransactionalID, strconv.Itoa(int(n.id)), strconv.FormatInt(s.ProducerID, 10), s.TransactionState})
		}
	}
	t.w.table([]string{"TransactionalId", "Coordinator", "ProducerId", "TransactionState"}, rows)
	return nil
}

// transaction is what a coordinator says of a transactional id.
func (c *client) transaction(ctx context.Context, id string) (coordinator int32, _ *kmsg.DescribeTransactionsResponseTransactionState, _ error) {
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{id}
	ctx, cancel := context.WithTimeout(ctx, c.api)
	defer cancel()
	for _, shard := range c.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return 0, nil, c.failed("describeTransactions", req, shard.Err)
		}
		for _, s := range shard.Resp.(*kmsg.DescribeTransactionsResponse).TransactionStates {
			return shard.Meta.NodeID, &s, javaCode(s.ErrorCode, nil)
		}
	}
	return 0, nil, errors.New("the answer does not mention " + id)
}

func (t *transactionsTool) describeTransaction(ctx context.Context, c *client, id string) error {
	coordinator, s, err := c.transaction(ctx, id)
	if err != nil {
		return debugging("Failed to describe transaction state of transactional-id `"+id+"`", err)
	}
	start, duration := "None", "None"
	if s.StartTimestamp >= 0 {
		start = strconv.FormatInt(s.StartTimestamp, 10)
		duration = strconv.FormatInt(t.w.Now().UnixMilli()-s.StartTimestamp, 10)
	}
	var partitions []kafka.TopicPartition
	for _, topic := range s.Topics {
		for _, p := range topic.Partitions {
			partitions = append(partitions, kafka.TopicPartition{Topic: topic.Topic, Partition: p})
		}
	}
	var words []string
	for _, p := range java.HashOrder(partitions, hashPartition) {
		words = append(words, p.String())
	}
	t.w.table([]string{"CoordinatorId", "TransactionalId", "ProducerId", "ProducerEpoch", "TransactionState", "TransactionTimeoutMs",
		"CurrentTransactionStartTimeMs", "TransactionDurationMs", "TopicPartitions"},
		[][]string{{strconv.Itoa(int(coordinator)), id, strconv.FormatInt(s.ProducerID, 10), strconv.Itoa(int(s.ProducerEpoch)), s.State,
			strconv.Itoa(int(s.TimeoutMillis)), start, duration, strings.Join(words, ",")}})
	return nil
}

// producers are the producers of a partition, as its leader has them, or the broker that is not below zero.
func (c *client) producers(ctx context.Context, broker int32, of ...kafka.TopicPartition) (map[kafka.TopicPartition][]kmsg.DescribeProducersResponseTopicPartitionActiveProducer, error) {
	req := kmsg.NewPtrDescribeProducersRequest()
	for _, p := range of {
		t := kmsg.NewDescribeProducersRequestTopic()
		t.Topic, t.Partitions = p.Topic, []int32{p.Partition}
		req.Topics = append(req.Topics, t)
	}
	var resp *kmsg.DescribeProducersResponse
	var err error
	if broker >= 0 {
		resp, err = askNode[*kmsg.DescribeProducersResponse](ctx, c, broker, "describeProducers", req)
	} else {
		resp, err = ask[*kmsg.DescribeProducersResponse](ctx, c, "describeProducers", req)
	}
	if err != nil {
		return nil, err
	}
	found := map[kafka.TopicPartition][]kmsg.DescribeProducersResponseTopicPartitionActiveProducer{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := javaCode(p.ErrorCode, p.ErrorMessage); err != nil {
				return nil, err
			}
			found[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = p.ActiveProducers
		}
	}
	return found, nil
}

func (t *transactionsTool) describeProducers(ctx context.Context, c *client, f *jopt.Found) error {
	tp := kafka.TopicPartition{Topic: f.Value(t.topic), Partition: f.Int(t.partition)}
	broker, where := int32(-1), "leader"
	if f.Has(t.broker) {
		broker = f.Int(t.broker)
		where = fmt.Sprintf("broker %d", broker)
	}
	found, err := c.producers(ctx, broker, tp)
	if err != nil {
		return debugging("Failed to describe producers for partition "+tp.String()+" on "+where, err)
	}
	var rows [][]string
	for _, p := range found[tp] {
		start := "None"
		if p.CurrentTxnStartOffset >= 0 {
			start = strconv.FormatInt(p.CurrentTxnStartOffset, 10)
		}
		rows = append(rows, []string{strconv.FormatInt(p.ProducerID, 10), strconv.Itoa(int(p.ProducerEpoch)), strconv.Itoa(int(p.CoordinatorEpoch)),
			strconv.Itoa(int(p.LastSequence)), strconv.FormatInt(p.LastTimestamp, 10), start})
	}
	t.w.table([]string{"ProducerId", "ProducerEpoch", "LatestCoordinatorEpoch", "LastSequence", "LastTimestamp", "CurrentTransactionStartOffset"}, rows)
	return nil
}

func (t *transactionsTool) abortTransaction(ctx context.Context, c *client, f *jopt.Found) error {
	tp := kafka.TopicPartition{Topic: f.Value(t.abortTopic), Partition: f.Int(t.abortPartition)}
	marker := kmsg.NewWriteTxnMarkersRequestMarker()
	switch {
	case f.Has(t.start):
		start, err := strconv.ParseInt(f.Value(t.start), 10, 64)
		if err != nil {
			return fmt.Errorf("argument --start-offset: %q is no number", f.Value(t.start))
		}
		found, err := c.producers(ctx, -1, tp)
		if err != nil {
			return debugging("Failed to validate producer state for partition "+tp.String(), err)
		}
		open := false
		for _, p := range found[tp] {
			if p.CurrentTxnStartOffset == start {
				open = true
				marker.ProducerID, marker.ProducerEpoch, marker.CoordinatorEpoch = p.ProducerID, int16(p.ProducerEpoch), max(0, p.CoordinatorEpoch)
			}
		}
		if !open {
			return fmt.Errorf("Could not find any open transactions starting at offset %d on partition %s", start, tp)
		}
	case !f.Has(t.producer):
		return errors.New("The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or with --producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)")
	case !f.Has(t.epoch):
		return errors.New("Missing required argument --producer-epoch")
	case !f.Has(t.coordinatorEpoch):
		return errors.New("Missing required argument --coordinator-epoch")
	default:
		id, err := strconv.ParseInt(f.Value(t.producer), 10, 64)
		if err != nil {
			return fmt.Errorf("argument --producer-id: %q is no number", f.Value(t.producer))
		}
		marker.ProducerID, marker.ProducerEpoch, marker.CoordinatorEpoch = id, int16(f.Int(t.epoch)), max(0, f.Int(t.coordinatorEpoch))
	}
	topic := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
	topic.Topic, topic.Partitions = tp.Topic, []int32{tp.Partition}
	marker.Topics = append(marker.Topics, topic)
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.Markers = append(req.Markers, marker)
	resp, err := ask[*kmsg.WriteTxnMarkersResponse](ctx, c, "abortTransaction", req)
	if err == nil {
		for _, m := range resp.Markers {
			for _, topic := range m.Topics {
				for _, p := range topic.Partitions {
					err = errors.Join(err, javaCode(p.ErrorCode, nil))
				}
			}
		}
	}
	if err != nil {
		return debugging("Failed to abort transaction on "+tp.String(), err)
	}
	return nil
}

// hanging is a transaction that is open for longer than any may be.
type hanging struct {
	kafka.TopicPartition
	kmsg.DescribeProducersResponseTopicPartitionActiveProducer
}

func (t *transactionsTool) findHanging(ctx context.Context, c *client, f *jopt.Found) error {
	switch {
	case !f.Has(t.hangTopic) && !f.Has(t.hangBroker):
		return errors.New("The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search")
	case f.Has(t.hangPartition) && !f.Has(t.hangTopic):
		return errors.New("The --partition argument requires --topic to be provided")
	}
	open, err := t.openTransactions(ctx, c, f)
	if err != nil {
		return err
	}
	ids, err := t.idsOf(ctx, c, open)
	if err != nil {
		return err
	}
	now := t.w.Now().UnixMilli()
	var rows [][]string
	for _, h := range open {
		if id, known := ids[h.ProducerID]; known {
			part, err := c.takesPart(ctx, id, h.TopicPartition)
			if err != nil {
				return debugging("Failed to describe "+id, err)
			}
			if part {
				continue
			}
		}
		rows = append(rows, []string{h.Topic, strconv.Itoa(int(h.Partition)), strconv.FormatInt(h.ProducerID, 10), strconv.Itoa(int(h.ProducerEpoch)),
			strconv.Itoa(int(h.CoordinatorEpoch)), strconv.FormatInt(h.CurrentTxnStartOffset, 10), strconv.FormatInt(h.LastTimestamp, 10),
			strconv.FormatInt((now-h.LastTimestamp)/60_000, 10)})
	}
	t.w.table([]string{"Topic", "Partition", "ProducerId", "ProducerEpoch", "CoordinatorEpoch", "StartOffset", "LastTimestamp", "Duration(min)"}, rows)
	return nil
}

// openTransactions are the transactions of the scope that are open for longer than any may be.
func (t *transactionsTool) openTransactions(ctx context.Context, c *client, f *jopt.Found) ([]hanging, error) {
	broker := int32(-1)
	if f.Has(t.hangBroker) {
		broker = f.Int(t.hangBroker)
	}
	partitions, err := t.scope(ctx, c, f, broker)
	if err != nil || len(partitions) == 0 {
		return nil, err
	}
	found, err := c.producers(ctx, broker, partitions...)
	if err != nil {
		return nil, debugging("Failed to describe producers for partitions", err)
	}
	limit := t.w.Now().UnixMilli() - int64(f.Int(t.hangTimeout))*60_000
	var all []hanging
	for _, tp := range partitions {
		for _, p := range found[tp] {
			if p.CurrentTxnStartOffset >= 0 && p.LastTimestamp < limit {
				all = append(all, hanging{tp, p})
			}
		}
	}
	return all, nil
}

// scope are the partitions to search: those of the topic or of all topics, which the broker has a replica of.
func (t *transactionsTool) scope(ctx context.Context, c *client, f *jopt.Found, broker int32) ([]kafka.TopicPartition, error) {
	topics := []string{f.Value(t.hangTopic)}
	if f.Has(t.hangPartition) {
		return []kafka.TopicPartition{{Topic: topics[0], Partition: f.Int(t.hangPartition)}}, nil
	}
	if !f.Has(t.hangTopic) {
		all, err := c.topics(ctx)
		if err != nil {
			return nil, debugging("Failed to list topics", err)
		}
		topics = names(all)
	}
	described, err := c.describeByName(ctx, topics, defaultPerAsk)
	if err != nil {
		return nil, debugging(fmt.Sprintf("Failed to describe %d topics", len(topics)), err)
	}
	var all []kafka.TopicPartition
	for _, d := range described {
		for _, p := range d.partitions {
			if broker < 0 || slices.Contains(p.replicas, broker) {
				all = append(all, kafka.TopicPartition{Topic: d.name, Partition: p.partition})
			}
		}
	}
	return all, nil
}

// idsOf are the transactional ids of the producers of transactions.
func (t *transactionsTool) idsOf(ctx context.Context, c *client, of []hanging) (map[int64]string, error) {
	ids := map[int64]string{}
	if len(of) == 0 {
		return ids, nil
	}
	req := kmsg.NewPtrListTransactionsRequest()
	for _, h := range of {
		req.ProducerIDFilters = append(req.ProducerIDFilters, h.ProducerID)
	}
	nodes, err := c.nodes(ctx)
	if err != nil {
		return nil, debugging("Failed to list transactions", err)
	}
	for _, n := range nodes {
		resp, err := askNode[*kmsg.ListTransactionsResponse](ctx, c, n.id, "listTransactions", req)
		if err == nil {
			err = javaCode(resp.ErrorCode, nil)
		}
		if err != nil {
			return nil, debugging("Failed to list transactions", err)
		}
		for _, s := range resp.TransactionStates {
			ids[s.ProducerID] = s.TransactionalID
		}
	}
	return ids, nil
}

// takesPart reports whether the coordinator counts the partition to the transaction of an id.
func (c *client) takesPart(ctx context.Context, id string, tp kafka.TopicPartition) (bool, error) {
	_, s, err := c.transaction(ctx, id)
	if isCode(err, kerr.TransactionalIDNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, topic := range s.Topics {
		if topic.Topic == tp.Topic && slices.Contains(topic.Partitions, tp.Partition) {
			return true, nil
		}
	}
	return false, nil
}
