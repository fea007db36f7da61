package controller

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// The scenarios of testdata are commands in words, and under each the records and the answer that it leads to. Run
// with -rewrite after a change that is meant.
//
//	activate
//	register id=1 [epoch=…] [dirs=a,b] [rack=r] [dead] [previous=N]
//	heartbeat id=1 [offset=N] [fence] [shutdown] [offline=a]
//	create [version=7] [validate]          one topic a line: NAME partitions=3 rf=1 key=value… | NAME assign=1,2/2,1
//	delete [version=6]                     one topic a line: NAME or id=NAME or raw=…
//	partitions                             one topic a line: NAME count=3 [assign=1/2]
//	reassign [keep]                        one partition a line: NAME N 1,2,3 | NAME N (to cancel); keep the number of replicas
//	reassignments                          lists those that are not done
//	alter | incremental                    one resource a line: topic NAME key=value key+=value key-=value key-
//	tick 5s                                time passes; what is due is done
//	topics | brokers | configs             the state
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := newWorld(t, 1)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.t = t
			defer w.check()
			return w.run(d)
		})
	})
}

// world drives a controller as the quorum does, without a log.
type world struct {
	t     testing.TB
	c     *Controller
	cfg   Config
	now   time.Time
	next  kafka.Offset
	log   []metadata.Batch
	out   strings.Builder
	epoch map[int32]int64
	limit int // how many records are printed
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{t: t, now: time.UnixMilli(1_700_000_000_000), epoch: make(map[int32]int64), next: 1, limit: 60}
	ids := byte(0)
	w.cfg = Config{
		ClusterID: "cluster", NodeID: 1, Voters: []kafka.NodeID{1}, Configs: fakeConfigs{},
		Random: rand.New(rand.NewPCG(seed, 1)),
		NewID: func() kafka.UUID {
			ids++
			return kafka.UUID{0: 0xa0, 6: 0x40, 8: 0x80, 15: ids}
		},
	}
	w.c = New(w.cfg, metadata.NewLoader(metadata.Empty()), w.now)
	return w
}

// do lets the controller decide and replays what it decided.
func (w *world) do(cmd Command) any {
	result, err := w.c.Handle(w.now, w.next, cmd)
	if err != nil {
		fmt.Fprintf(&w.out, "error: %v\n", err)
		return nil
	}
	for i, r := range result.Records {
		if i == w.limit {
			fmt.Fprintf(&w.out, "… %d more\n", len(result.Records)-i)
		}
		if i < w.limit {
			fmt.Fprintf(&w.out, "%d %s\n", w.next+kafka.Offset(i), schema.AppendMetadataJSON(nil, r.Body, r.Version))
		}
	}
	if len(result.Records) > 0 {
		b := metadata.Batch{Offset: w.next + kafka.Offset(len(result.Records)) - 1, Epoch: 1, Timestamp: w.now.UnixMilli()}
		for _, r := range result.Records {
			b.Records = append(b.Records, roundTrip(w.t, r))
		}
		if _, err := w.c.Replay(w.now, b); err != nil {
			w.t.Fatalf("replay of own records: %v", err)
		}
		w.log = append(w.log, b)
		w.next = b.Offset + 1
	}
	if result.VotersIntoLog {
		fmt.Fprintln(&w.out, "the voters are to be written into the log")
	}
	return result.Response
}

// roundTrip passes a record through its bytes, as the log does.
func roundTrip(t testing.TB, r metadata.Record) schema.MetadataRecord {
	b := schema.AppendMetadata(nil, r.Body, r.Version)
	got, version, err := schema.ParseMetadata(b)
	if err != nil || version != r.Version {
		t.Fatalf("record %s: version %d, %v", schema.AppendMetadataJSON(nil, r.Body, r.Version), version, err)
	}
	return got
}

// check compares the state with one that is loaded from the log alone.
func (w *world) check() {
	loader := metadata.NewLoader(metadata.Empty())
	for _, b := range w.log {
		if _, err := loader.Replay(b); err != nil {
			w.t.Fatalf("load the log: %v", err)
		}
	}
	if got, want := dump(loader.Image()), dump(w.c.Image()); got != want {
		w.t.Fatalf("loading the log gives another state:\n%s\nwant\n%s", got, want)
	}
	for t := range w.c.Image().Topics.All() {
		for _, p := range t.Partitions {
			checkPartition(w.t, w.c, t, p)
		}
	}
}

// checkPartition holds for every partition at any time.
func checkPartition(t testing.TB, c *Controller, topic *metadata.Topic, p *metadata.Partition) {
	fail := func(what string) { t.Fatalf("%s-%d: %s: %+v", topic.Name, p.ID, what, p) }
	for _, n := range p.ISR {
		if slices.Contains(p.ELR, n) {
			fail("ISR and ELR overlap")
		}
	}
	if !containsAll(p.Replicas, p.ISR) || !containsAll(p.Replicas, p.ELR) {
		fail("ISR or ELR beyond the replicas")
	}
	if !containsAll(p.Replicas, p.Adding) || !containsAll(p.Replicas, p.Removing) {
		fail("a reassignment beyond the replicas")
	}
	if p.Leader != kafka.NoNode && !slices.Contains(p.ISR, int32(p.Leader)) {
		fail("the leader is not in sync")
	}
	if b := c.Image().Cluster.Broker(p.Leader); p.Leader != kafka.NoNode && (b == nil || b.Fenced) {
		fail("a fenced broker leads")
	}
	if len(p.Directories) != len(p.Replicas) {
		fail("directories and replicas differ in number")
	}
}

func dump(i *metadata.Image) string {
	var b bytes.Buffer
	for r := range i.Records {
		b.Write(schema.AppendMetadataJSON(nil, r.Body, r.Version))
		b.WriteByte('\n')
	}
	return b.String()
}

func (w *world) run(d *datadriven.TestData) string {
	w.out.Reset()
	switch d.Cmd {
	case "activate":
		var level int16
		if d.MaybeScanArgs(w.t, "level", &level); level > 0 {
			w.cfg.Bootstrap = []schema.MetadataRecord{&schema.FeatureLevelRecord{Name: metadata.MetadataVersionFeature, FeatureLevel: level}}
		}
		var interval string
		if d.MaybeScanArgs(w.t, "rebalance", &interval) {
			w.cfg.RebalanceInterval, _ = time.ParseDuration(interval)
		}
		w.c = New(w.cfg, metadata.NewLoader(metadata.Empty()), w.now)
		w.do(Activate{})
	case "registerController":
		w.answer(w.do(RegisterController{Request: kmsg.NewPtrControllerRegistrationRequest()}))
	case "register":
		w.register(d)
	case "heartbeat":
		w.heartbeat(d)
	case "disconnected":
		var id int32
		d.ScanArgs(w.t, "id", &id)
		w.do(Disconnected{Broker: id, Epoch: w.epoch[id], Gone: d.HasArg("gone")})
	case "unregister":
		req := kmsg.NewPtrUnregisterBrokerRequest()
		d.ScanArgs(w.t, "id", &req.BrokerID)
		w.answer(w.do(UnregisterBroker{Request: req}))
	case "create":
		w.create(d)
	case "delete":
		w.delete(d)
	case "partitions":
		w.partitions(d)
	case "alter", "incremental":
		w.alter(d)
	case "producer-ids":
		req := kmsg.NewPtrAllocateProducerIDsRequest()
		d.ScanArgs(w.t, "id", &req.BrokerID)
		req.BrokerEpoch = w.epoch[req.BrokerID]
		w.answer(w.do(AllocateProducerIDs{Request: req}))
	case "features":
		w.features(d)
	case "isr":
		w.isr(d)
	case "elect":
		req := kmsg.NewPtrElectLeadersRequest()
		req.ElectionType = int8(boolArg(d, "unclean"))
		req.Topics = nil
		w.answer(w.do(ElectLeaders{Request: req}))
	case "reassign":
		w.reassign(d)
	case "reassignments":
		req := kmsg.NewPtrListPartitionReassignmentsRequest()
		req.Topics = nil
		w.answer(w.do(ListPartitionReassignments{Request: req}))
	case "tick":
		w.tick(d)
	case "failover":
		w.c = New(w.cfg, metadata.NewLoader(w.c.Image()), w.now)
		w.do(Activate{})
	default:
		w.show(d)
	}
	if w.out.Len() == 0 {
		return "nothing\n"
	}
	return w.out.String()
}

func boolArg(d *datadriven.TestData, name string) int {
	if d.HasArg(name) {
		return 1
	}
	return 0
}

// answer prints a response: every field that is not zero, and the names of error codes.
func (w *world) answer(response any) {
	w.out.WriteString("→ " + describe(reflect.ValueOf(response)) + "\n")
}

func describe(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "null"
		}
		return describe(v.Elem())
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, describe(v.Index(i)))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.Array:
		return kafka.UUID(v.Interface().([16]byte)).String()
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			name, f := v.Type().Field(i).Name, v.Field(i)
			if name == "UnknownTags" || name == "Version" || f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0 {
				continue
			}
			if name == "ErrorCode" || name == "ConfigErrorCode" {
				var e *kerr.Error
				errors.As(kerr.ErrorForCode(int16(f.Int())), &e)
				parts = append(parts, name+"="+e.Message)
				continue
			}
			parts = append(parts, name+"="+describe(f))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

func dirID(name string) kafka.UUID {
	id := kafka.UUID{6: 0x40, 8: 0x80, 15: 200}
	copy(id[:6], name)
	return id
}

func (w *world) register(d *datadriven.TestData) {
	req := kmsg.NewPtrBrokerRegistrationRequest()
	d.ScanArgs(w.t, "id", &req.BrokerID)
	req.ClusterID, req.PreviousBrokerEpoch = "cluster", -1
	d.MaybeScanArgs(w.t, "cluster", &req.ClusterID)
	incarnation := 1
	d.MaybeScanArgs(w.t, "incarnation", &incarnation)
	req.IncarnationID = kafka.UUID{0: byte(req.BrokerID), 6: 0x40, 8: 0x80, 15: byte(incarnation)}
	if d.HasArg("clean") {
		req.PreviousBrokerEpoch = w.epoch[req.BrokerID]
	}
	var rack string
	if d.MaybeScanArgs(w.t, "rack", &rack) {
		req.Rack = &rack
	}
	dirs := fmt.Sprintf("dir%d", req.BrokerID)
	d.MaybeScanArgs(w.t, "dirs", &dirs)
	for _, name := range strings.Split(dirs, "/") {
		req.LogDirs = append(req.LogDirs, dirID(name))
	}
	req.Listeners = []kmsg.BrokerRegistrationRequestListener{{Name: "PLAINTEXT", Host: "host", Port: uint16(9000 + req.BrokerID)}}
	supported := DefaultSupported()
	if d.HasArg("old") {
		supported[metadata.MetadataVersionFeature] = metadata.LevelRange{Min: 7, Max: 20}
	}
	for _, name := range sortedKeys(supported) {
		req.Features = append(req.Features, kmsg.BrokerRegistrationRequestFeature{
			Name: name, MinSupportedVersion: int16(supported[name].Min), MaxSupportedVersion: int16(supported[name].Max),
		})
	}
	response := w.do(RegisterBroker{Request: req, PreviousDead: d.HasArg("dead")}).(*kmsg.BrokerRegistrationResponse)
	if response.ErrorCode == 0 {
		w.epoch[req.BrokerID] = response.BrokerEpoch
	}
	w.answer(response)
}

func (w *world) heartbeat(d *datadriven.TestData) {
	req := kmsg.NewPtrBrokerHeartbeatRequest()
	d.ScanArgs(w.t, "id", &req.BrokerID)
	req.BrokerEpoch, req.CurrentMetadataOffset = w.epoch[req.BrokerID], int64(w.next-1)
	d.MaybeScanArgs(w.t, "offset", &req.CurrentMetadataOffset)
	d.MaybeScanArgs(w.t, "epoch", &req.BrokerEpoch)
	req.WantFence, req.WantShutdown = d.HasArg("fence"), d.HasArg("shutdown")
	var offline string
	if d.MaybeScanArgs(w.t, "offline", &offline) {
		req.OfflineLogDirs = [][16]byte{dirID(offline)}
	}
	w.answer(w.do(Heartbeat{Request: req}))
}

// nodes parses "1,2/2,1".
func nodes(s string) [][]int32 {
	var all [][]int32
	for _, part := range strings.Split(s, "/") {
		list := []int32{}
		for _, n := range strings.FieldsFunc(part, func(r rune) bool { return r == ',' }) {
			id, _ := strconv.Atoi(n)
			list = append(list, int32(id))
		}
		all = append(all, list)
	}
	return all
}

func (w *world) create(d *datadriven.TestData) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version, req.ValidateOnly, req.TimeoutMillis = 7, d.HasArg("validate"), 1000-int32(1000*boolArg(d, "late"))
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = words[0], -1, -1
		if words[0] == "''" {
			topic.Topic = ""
		}
		for _, word := range words[1:] {
			key, value, set := strings.Cut(word, "=")
			n, _ := strconv.Atoi(value)
			switch key {
			case "partitions":
				topic.NumPartitions = int32(n)
			case "rf":
				topic.ReplicationFactor = int16(n)
			case "assign":
				for i, replicas := range nodes(value) {
					a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
					a.Partition, a.Replicas = int32(i), replicas
					topic.ReplicaAssignment = append(topic.ReplicaAssignment, a)
				}
			default:
				config := kmsg.NewCreateTopicsRequestTopicConfig()
				config.Name = key
				if set {
					config.Value = &value
				}
				topic.Configs = append(topic.Configs, config)
			}
		}
		req.Topics = append(req.Topics, topic)
	}
	w.answer(w.do(CreateTopics{Request: req}))
}

func (w *world) delete(d *datadriven.TestData) {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Version = 6
	for _, line := range strings.Split(d.Input, "\n") {
		topic := kmsg.NewDeleteTopicsRequestTopic()
		for _, word := range strings.Fields(line) {
			if name, ok := strings.CutPrefix(word, "id="); ok {
				if t := w.c.Image().Topics.ByName(name); t != nil {
					topic.TopicID = t.ID
				} else if name != "zero" {
					topic.TopicID = kafka.UUID{15: 255}
				}
			} else {
				topic.Topic = &word
			}
		}
		req.Topics = append(req.Topics, topic)
	}
	w.answer(w.do(DeleteTopics{Request: req}))
}

func (w *world) partitions(d *datadriven.TestData) {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.ValidateOnly = d.HasArg("validate")
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		topic := kmsg.NewCreatePartitionsRequestTopic()
		topic.Topic = words[0]
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			if key == "count" {
				n, _ := strconv.Atoi(value)
				topic.Count = int32(n)
				continue
			}
			for _, replicas := range nodes(value) {
				topic.Assignment = append(topic.Assignment, kmsg.CreatePartitionsRequestTopicAssignment{Replicas: replicas})
			}
		}
		req.Topics = append(req.Topics, topic)
	}
	w.answer(w.do(CreatePartitions{Request: req}))
}

func (w *world) reassign(d *datadriven.TestData) {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.Version, req.AllowReplicationFactorChange = 1, !d.HasArg("keep")
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		topic, part := kmsg.NewAlterPartitionAssignmentsRequestTopic(), kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		topic.Topic = words[0]
		n, _ := strconv.Atoi(words[1])
		part.Partition = int32(n)
		if len(words) > 2 {
			part.Replicas = nodes(words[2])[0]
		}
		topic.Partitions = append(topic.Partitions, part)
		req.Topics = append(req.Topics, topic)
	}
	w.answer(w.do(AlterPartitionReassignments{Request: req}))
}

var resourceTypes = map[string]kmsg.ConfigResourceType{
	"topic": kmsg.ConfigResourceTypeTopic, "broker": kmsg.ConfigResourceTypeBroker, "other": 3,
	"group": kmsg.ConfigResourceTypeGroupConfig, "logger": kmsg.ConfigResourceTypeBrokerLogger, "metrics": kmsg.ConfigResourceTypeClientMetrics,
}

func (w *world) alter(d *datadriven.TestData) {
	full, single := kmsg.NewPtrAlterConfigsRequest(), kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		name := words[1]
		if name == "default" {
			name = ""
		}
		one := kmsg.AlterConfigsRequestResource{ResourceType: resourceTypes[words[0]], ResourceName: name}
		many := kmsg.IncrementalAlterConfigsRequestResource{ResourceType: resourceTypes[words[0]], ResourceName: name}
		for _, word := range words[2:] {
			key, value, set := strings.Cut(word, "=")
			op := kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: strings.TrimRight(key, "+-"), Value: &value}
			switch {
			case strings.HasSuffix(key, "+"):
				op.Op = kmsg.IncrementalAlterConfigOp(opAppend)
			case strings.HasSuffix(key, "-") && set:
				op.Op = kmsg.IncrementalAlterConfigOp(opSubtract)
			case strings.HasSuffix(key, "-"):
				op.Op, op.Value = kmsg.IncrementalAlterConfigOp(opDelete), nil
			case !set:
				op.Op = 9
			}
			many.Configs = append(many.Configs, op)
			one.Configs = append(one.Configs, kmsg.AlterConfigsRequestResourceConfig{Name: op.Name, Value: op.Value})
		}
		full.Resources = append(full.Resources, one)
		single.Resources = append(single.Resources, many)
	}
	var receiver *kafka.NodeID
	if !d.HasArg("controller") {
		receiver = new(kafka.NodeID(1))
	}
	if d.Cmd == "alter" {
		w.answer(w.do(AlterConfigs{Request: full, Receiver: receiver}))
		return
	}
	w.answer(w.do(IncrementalAlterConfigs{Request: single, Receiver: receiver}))
}

func (w *world) features(d *datadriven.TestData) {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.Version = 2
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		update := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		level, _ := strconv.Atoi(words[1])
		update.Feature, update.MaxVersionLevel, update.UpgradeType = words[0], int16(level), upgrade
		if len(words) > 2 {
			kind, _ := strconv.Atoi(words[2])
			update.UpgradeType = int8(kind)
		}
		req.FeatureUpdates = append(req.FeatureUpdates, update)
	}
	w.answer(w.do(UpdateFeatures{Request: req, VotersTold: d.HasArg("told")}))
}

// isr lets the leader of a partition propose an in-sync set.
func (w *world) isr(d *datadriven.TestData) {
	var topic, set string
	d.ScanArgs(w.t, "topic", &topic)
	d.ScanArgs(w.t, "set", &set)
	t := w.c.Image().Topics.ByName(topic)
	p := t.Partition(0)
	from := int32(p.Leader)
	d.MaybeScanArgs(w.t, "from", &from)
	asked := kmsg.NewAlterPartitionRequestTopicPartition()
	asked.LeaderEpoch, asked.PartitionEpoch = int32(p.LeaderEpoch), int32(p.PartitionEpoch)
	d.MaybeScanArgs(w.t, "epoch", &asked.PartitionEpoch)
	for _, n := range nodes(strings.ReplaceAll(set, "+", ","))[0] {
		asked.NewEpochISR = append(asked.NewEpochISR, kmsg.AlterPartitionRequestTopicPartitionNewEpochISR{BrokerID: n, BrokerEpoch: w.epoch[n]})
	}
	req := kmsg.NewPtrAlterPartitionRequest()
	req.Version, req.BrokerID, req.BrokerEpoch = 3, from, w.epoch[from]
	req.Topics = []kmsg.AlterPartitionRequestTopic{{TopicID: t.ID, Partitions: []kmsg.AlterPartitionRequestTopicPartition{asked}}}
	w.answer(w.do(AlterPartition{Request: req}))
}

func (w *world) tick(d *datadriven.TestData) {
	step, err := time.ParseDuration(d.CmdArgs[0].Key)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(step)
	for {
		due := w.c.Deadline()
		if due.IsZero() || due.After(w.now) {
			return
		}
		w.do(Expire{})
	}
}

func (w *world) show(d *datadriven.TestData) {
	switch d.Cmd {
	case "topics":
		for _, t := range w.c.Image().Topics.Sorted() {
			for _, p := range t.Partitions {
				fmt.Fprintf(&w.out, "%s-%d leader=%d replicas=%v isr=%v", t.Name, p.ID, p.Leader, p.Replicas, p.ISR)
				fmt.Fprintf(&w.out, " elr=%v last=%v epoch=%d/%d recovering=%t\n", p.ELR, p.LastKnownELR, p.LeaderEpoch, p.PartitionEpoch, p.Recovering)
			}
		}
	case "brokers":
		for _, b := range w.c.Image().Cluster.Brokers() {
			fmt.Fprintf(&w.out, "%d epoch=%d fenced=%t shutdown=%t dirs=%d\n", b.ID, b.Epoch, b.Fenced, b.InControlledShutdown, len(b.Directories))
		}
	case "configs":
		for r := range w.c.Image().Records {
			if c, ok := r.Body.(*schema.ConfigRecord); ok {
				fmt.Fprintf(&w.out, "%d %q %s=%s\n", c.ResourceType, c.ResourceName, c.Name, *c.Value)
			}
		}
	default:
		w.t.Fatalf("unknown command %q", d.Cmd)
	}
}

// fakeConfigs knows a few keys.
type fakeConfigs struct{}

func (fakeConfigs) IsList(t metadata.ResourceType, key string) (string, bool) {
	return "delete", key == "cleanup.policy"
}

type configError struct{ text string }

func (e configError) Error() string { return e.text }
func (e configError) Unwrap() error { return kerr.InvalidConfig }

func (fakeConfigs) Validate(r metadata.ConfigResource, before, after map[string]string) error {
	for _, key := range sortedKeys(after) {
		switch key {
		case "cleanup.policy", "retention.ms", "log.retention.ms", minInSyncReplicas, "unclean.leader.election.enable":
		default:
			return configError{"Unknown topic config name: " + key}
		}
	}
	return nil
}

func (fakeConfigs) Topic(s Stored) TopicConfig {
	c := TopicConfig{MinInSyncReplicas: 1}
	for _, m := range []map[string]string{s.Cluster, s.Node, s.Topic} {
		if n, err := strconv.Atoi(m[minInSyncReplicas]); err == nil {
			c.MinInSyncReplicas = n
		}
		if v, ok := m["unclean.leader.election.enable"]; ok {
			c.UncleanLeaderElection = v == "true"
		}
	}
	return c
}

// IsLogger implements Configs.
func (fakeConfigs) IsLogger(name string) bool { return name == "root" || name == "a.logger" }

func (fakeConfigs) DescribeTopic(s Stored) []TopicConfigEntry {
	var out []TopicConfigEntry
	for _, key := range sortedKeys(s.Topic) {
		value := s.Topic[key]
		out = append(out, TopicConfigEntry{Name: key, Value: &value, Source: 1})
	}
	return out
}
