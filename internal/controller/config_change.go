package controller

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// minInSyncReplicas is the key that eligible leader replicas make the cluster's.
const minInSyncReplicas = "min.insync.replicas"

// maxConfigValue is the longest value in bytes that Kafka stores.
const maxConfigValue = 1<<15 - 1

// opKind is an operation of IncrementalAlterConfigs, with the numbers of the wire.
type opKind int8

const (
	opSet      opKind = 0
	opDelete   opKind = 1
	opAppend   opKind = 2
	opSubtract opKind = 3
)

func (k opKind) String() string {
	switch k {
	case opAppend:
		return "APPEND"
	case opSubtract:
		return "SUBTRACT"
	}
	return strconv.Itoa(int(k))
}

// configOp is one operation on one key.
type configOp struct {
	name  string
	value *string
	kind  opKind
}

// configsAsked is what a request asks for one resource, and what becomes of it.
type configsAsked struct {
	resource metadata.ConfigResource
	ops      []configOp
	whole    bool // ops are the whole new configuration
	done     bool // nothing is left to do
	said     bool // a resource asked for twice, which was answered before
	refused  *refusal
}

func (a *configsAsked) refuse(r *refusal) { a.refused, a.done = r, true }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func resourceOf(t kmsg.ConfigResourceType, name string) metadata.ConfigResource {
	return metadata.ConfigResource{Type: metadata.ResourceType(t), Name: name}
}

// alterConfigs decides on each resource by itself. receiver is the broker that took the request, nil for one that
// came to the controller's own listener: the two check different things first, with different words.
func (c *Controller) alterConfigs(asked []configsAsked, receiver *kafka.NodeID, validateOnly bool) records {
	times := make(map[metadata.ConfigResource]int)
	for i := range asked {
		times[asked[i].resource]++
	}
	for i := range asked {
		a := &asked[i]
		switch {
		case receiver != nil && times[a.resource] > 1:
			a.refuse(refuse(kerr.InvalidRequest, "Each resource must appear at most once."))
		case receiver != nil:
			c.checkAsBroker(a, *receiver)
		case times[a.resource] > 1:
			a.refuse(refuse(kerr.InvalidRequest, "Duplicate resource."))
			a.said = slices.ContainsFunc(asked[:i], func(b configsAsked) bool { return b.resource == a.resource })
		case a.resource.Type == metadata.BrokerLoggerResource && a.whole:
			a.refuse(refuse(kerr.InvalidRequest, "Unexpected resource type BROKER_LOGGER."))
		case a.resource.Type == metadata.BrokerLoggerResource:
			a.refuse(c.checkLoggers(a, c.cfg.NodeID))
		case !knownResource(a.resource.Type):
			a.refuse(refuse(kerr.UnsupportedVersion, "Unknown resource type %d.", a.resource.Type))
		}
	}
	var out records
	if slices.ContainsFunc(asked, func(a configsAsked) bool { return !a.done && unknownOp(a.ops) != nil }) {
		// Kafka's controller fails on an unknown operation, and takes the whole request with it.
		for i := range asked {
			if !asked[i].done {
				asked[i].refuse(refuseBare(kerr.UnknownServerError))
			}
		}
		return nil
	}
	for i := range asked {
		if a := &asked[i]; !a.done {
			a.refuse(c.alterResource(&out, a))
		}
	}
	if validateOnly {
		return nil
	}
	c.clearELR(&out)
	return out
}

// clearELR forgets the eligible replicas where min.insync.replicas changes: they were chosen by its old value.
func (c *Controller) clearELR(out *records) {
	if !c.Image().Features.ELR() {
		return
	}
	for _, r := range slices.Clone(*out) {
		config := r.Body.(*schema.ConfigRecord)
		if config.Name != minInSyncReplicas {
			continue
		}
		clear := &schema.ClearELRRecord{}
		if metadata.ResourceType(config.ResourceType) == metadata.TopicResource {
			clear.TopicName = config.ResourceName
		}
		out.add(clear, 0)
	}
}

func knownResource(t metadata.ResourceType) bool {
	switch t {
	case metadata.TopicResource, metadata.BrokerResource, metadata.ClientMetricsResource, metadata.GroupResource:
		return true
	}
	return false
}

func unknownOp(ops []configOp) *configOp {
	i := slices.IndexFunc(ops, func(op configOp) bool { return op.kind < opSet || op.kind > opSubtract })
	if i < 0 {
		return nil
	}
	return &ops[i]
}

// checkAsBroker is what the broker that receives a request checks before the controller sees it.
func (c *Controller) checkAsBroker(a *configsAsked, receiver kafka.NodeID) {
	seen := make(map[string]bool, len(a.ops))
	var null []string
	for _, op := range a.ops {
		if seen[op.name] {
			a.refuse(refuse(kerr.InvalidRequest, "Error due to duplicate config keys"))
			return
		}
		seen[op.name] = true
		if op.value == nil && op.kind != opDelete {
			null = append(null, op.name)
		}
	}
	switch {
	case len(null) > 0:
		a.refuse(refuse(kerr.InvalidRequest, "Null value not supported for : %s", strings.Join(null, ", ")))
	case a.resource.Type == metadata.BrokerLoggerResource && !a.whole:
		a.refuse(c.checkLoggers(a, receiver))
	case a.resource.Type == metadata.BrokerResource:
		if refused := c.checkBrokerChange(a, receiver); refused != nil {
			a.refuse(refused)
		}
	case !knownResource(a.resource.Type):
		a.refuse(refuse(kerr.InvalidRequest, "Unknown resource type %d", a.resource.Type))
	}
}

// checkBrokerChange judges a broker's configuration as the broker does, before the controller's own rules.
func (c *Controller) checkBrokerChange(a *configsAsked, receiver kafka.NodeID) *refusal {
	name := a.resource.Name
	if name != "" {
		id, err := strconv.ParseInt(name, 10, 32)
		switch {
		case err != nil:
			return refuse(kerr.InvalidRequest, "Node id must be an integer, but it is: %s", name)
		case kafka.NodeID(id) != receiver:
			return refuse(kerr.InvalidRequest, "Unexpected broker id, expected %d, but received %s", receiver, name)
		}
	}
	if op := unknownOp(a.ops); op != nil {
		return refuse(kerr.InvalidRequest, "Unknown operations type %d", op.kind)
	}
	for _, op := range a.ops {
		if _, ok := c.cfg.Configs.IsList(a.resource.Type, op.name); !ok && (op.kind == opAppend || op.kind == opSubtract) {
			return refuse(kerr.InvalidConfig, "Config value %s is not allowed for config key: %s", strings.ToLower(op.kind.String()), op.name)
		}
	}
	before := c.Image().Configs.Of(a.resource)
	after, _, refused := c.combineOps(a, before)
	if refused != nil {
		return refused
	}
	if err := c.cfg.Configs.Validate(a.resource, before, after); err != nil {
		return refuseErr(err)
	}
	return nil
}

// loggerLevels are the levels that BROKER_LOGGER takes.
var loggerLevels = []string{"DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"}

// checkLoggers judges a change of log levels: it is the node's own affair and leaves no record.
func (c *Controller) checkLoggers(a *configsAsked, receiver kafka.NodeID) *refusal {
	id, err := strconv.ParseInt(a.resource.Name, 10, 32)
	switch {
	case err != nil:
		return refuse(kerr.InvalidRequest, "Node id must be an integer, but it is: %s", a.resource.Name)
	case kafka.NodeID(id) != receiver:
		return refuse(kerr.InvalidRequest, "Unexpected node id. Expected %d, but received %s", receiver, a.resource.Name)
	}
	for _, op := range a.ops {
		switch {
		case op.kind == opAppend || op.kind == opSubtract:
			return refuse(kerr.InvalidRequest, "%s operation is not allowed for the BROKER_LOGGER resource", op.kind)
		case !c.cfg.Configs.IsLogger(op.name):
			return refuse(kerr.InvalidConfig, "Logger %s does not exist!", op.name)
		case op.kind == opDelete && op.name == "root":
			return refuse(kerr.InvalidRequest, "Removing the log level of the root logger is not allowed")
		case op.kind == opSet && !slices.Contains(loggerLevels, *op.value):
			return refuse(kerr.InvalidConfig, "Cannot set the log level of %s to %s as it is not a supported log level. "+
				"Valid log levels are %s", op.name, *op.value, strings.Join(loggerLevels, ", "))
		}
	}
	return nil
}

// alterResource adds the records of one resource, or refuses.
func (c *Controller) alterResource(out *records, a *configsAsked) *refusal {
	r := a.resource
	before := c.Image().Configs.Of(r)
	after, changed, refused := c.combineOps(a, before)
	if refused == nil {
		refused = c.validateConfigs(r, before, after, changed)
	}
	if refused == nil {
		refused = c.checkExists(r)
	}
	if refused != nil {
		return refused
	}
	c.writeConfigs(out, r, before, after, changed)
	return nil
}

// combineOps works out the configuration that the operations lead to and the keys that they touch. Of two on the
// same key the last counts, as in Kafka.
func (c *Controller) combineOps(a *configsAsked, before map[string]string) (after map[string]string, changed []string, refused *refusal) {
	last := make(map[string]configOp, len(a.ops))
	after = make(map[string]string, len(a.ops)+len(before))
	for name, value := range before {
		after[name] = value
		if a.whole {
			last[name] = configOp{name: name, kind: opDelete}
		}
	}
	for _, op := range a.ops {
		last[op.name] = op
	}
	changed = sortedKeys(last)
	for _, name := range changed {
		if refused := c.combineOp(a.resource, after, last[name]); refused != nil {
			return nil, nil, refused
		}
	}
	return after, changed, nil
}

func (c *Controller) combineOp(r metadata.ConfigResource, configs map[string]string, op configOp) *refusal {
	if op.value == nil && op.kind != opDelete {
		if op.kind != opSet {
			return refuse(kerr.InvalidConfig, "Null value not supported for : %s", op.name)
		}
		op.kind = opDelete
	}
	switch op.kind {
	case opSet:
		configs[op.name] = *op.value
	case opDelete:
		delete(configs, op.name)
	default:
		initial, ok := c.cfg.Configs.IsList(r.Type, op.name)
		if !ok {
			return refuse(kerr.InvalidConfig, "Can't %s to key %s because its type is not LIST.", op.kind, op.name)
		}
		if current, set := configs[op.name]; set {
			initial = current
		}
		configs[op.name] = combine(initial, *op.value, op.kind == opAppend)
	}
	return nil
}

// combine adds the elements of change to a comma-separated list, or takes them out.
func combine(list, change string, add bool) string {
	parts := slices.DeleteFunc(strings.Split(list, ","), func(p string) bool { return p == "" })
	for _, p := range strings.Split(change, ",") {
		i := slices.Index(parts, p)
		switch {
		case add && i < 0:
			parts = append(parts, p)
		case !add && i >= 0:
			parts = slices.Delete(parts, i, i+1)
		}
	}
	return strings.Join(parts, ",")
}

// writeConfigs adds the records of the keys that changed. For a broker a value counts as changed even if it is the
// same: it makes the broker read a file again that the key names (KAFKA-14136).
func (c *Controller) writeConfigs(out *records, r metadata.ConfigResource, before, after map[string]string, keys []string) {
	for _, name := range keys {
		old, was := before[name]
		value, is := after[name]
		if was == is && old == value && r.Type != metadata.BrokerResource {
			continue
		}
		body := &schema.ConfigRecord{ResourceType: int8(r.Type), ResourceName: r.Name, Name: name}
		if is {
			body.Value = &value
		}
		out.add(body, 0)
	}
}

// validateConfigs judges what would be stored; changed are the keys that the request names.
func (c *Controller) validateConfigs(r metadata.ConfigResource, before, after map[string]string, changed []string) *refusal {
	for _, name := range sortedKeys(after) {
		if len(after[name]) > maxConfigValue {
			return refuse(kerr.InvalidConfig, "The configuration value cannot be added because it exceeds the maximum value size of %d bytes.", maxConfigValue)
		}
	}
	if refused := c.protectMinInSync(r, after, changed); refused != nil {
		return refused
	}
	if refused := checkResourceName(r); refused != nil {
		return refused
	}
	if err := c.cfg.Configs.Validate(r, before, after); err != nil {
		return refuseErr(err)
	}
	return nil
}

// protectMinInSync keeps min.insync.replicas the cluster's while eligible leader replicas are on: which replicas
// are eligible depends on it, so that all nodes must see the same value (KIP-966).
func (c *Controller) protectMinInSync(r metadata.ConfigResource, after map[string]string, changed []string) *refusal {
	if r.Type != metadata.BrokerResource || !c.Image().Features.ELR() || !slices.Contains(changed, minInSyncReplicas) {
		return nil
	}
	_, set := after[minInSyncReplicas]
	switch {
	case r.Name != "":
		return refuse(kerr.InvalidConfig, "Broker-level min.insync.replicas cannot be altered while ELR is enabled.")
	case !set:
		return refuse(kerr.InvalidConfig, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")
	}
	return nil
}

func checkResourceName(r metadata.ConfigResource) *refusal {
	switch r.Type {
	case metadata.TopicResource:
		if r.Name == "" {
			return refuse(kerr.InvalidRequest, "Default topic resources are not allowed.")
		}
		if err := kafka.CheckTopicName(r.Name); err != nil {
			return refuse(kerr.InvalidTopicException, "Topic name is invalid: %s", err)
		}
	case metadata.BrokerResource:
		if r.Name == "" {
			return nil
		}
		if id, err := strconv.ParseInt(r.Name, 10, 32); err != nil {
			return refuse(kerr.InvalidRequest, "Unable to parse broker name as a base 10 number.")
		} else if id < 0 {
			return refuse(kerr.InvalidRequest, "Invalid negative broker ID.")
		}
	case metadata.GroupResource:
		if r.Name == "" {
			return refuse(kerr.InvalidRequest, "Default group resources are not allowed.")
		}
	case metadata.ClientMetricsResource:
		if r.Name == "" {
			return refuse(kerr.InvalidRequest, "Subscription name can't be empty")
		}
	}
	return nil
}

// checkExists refuses to configure a topic or node that is not there.
func (c *Controller) checkExists(r metadata.ConfigResource) *refusal {
	switch r.Type {
	case metadata.TopicResource:
		if c.Image().Topics.ByName(r.Name) == nil {
			return refuse(kerr.UnknownTopicOrPartition, "The topic '%s' does not exist.", r.Name)
		}
	case metadata.BrokerResource:
		id, err := strconv.ParseInt(r.Name, 10, 32)
		node := kafka.NodeID(id)
		if r.Name != "" && (err != nil || c.Image().Cluster.Broker(node) == nil && c.Image().Cluster.Controller(node) == nil) {
			return refuse(kerr.BrokerIDNotRegistered, "No node with id %s found.", r.Name)
		}
	}
	return nil
}
