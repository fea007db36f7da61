package controller

import (
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// minInSyncReplicas is the key that eligible leader replicas make the cluster's.
const minInSyncReplicas = "min.insync.replicas"

// maxConfigValue is the longest value in UTF-16 units that a string of Kafka's older tools could carry.
const maxConfigValue = 1<<15 - 1

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (r AlterConfigs) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrAlterConfigsResponse()
	response.Version = r.Request.Version
	times := make(map[metadata.ConfigResource]int)
	for i := range r.Request.Resources {
		times[resourceOf(r.Request.Resources[i].ResourceType, r.Request.Resources[i].ResourceName)]++
	}
	var out records
	for i := range r.Request.Resources {
		asked := &r.Request.Resources[i]
		resource := resourceOf(asked.ResourceType, asked.ResourceName)
		refused, again := checkResource(resource, times)
		if again {
			continue
		}
		if refused == nil {
			refused = c.replaceConfigs(&out, resource, asked.Configs)
		}
		answer := kmsg.NewAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = asked.ResourceType, asked.ResourceName
		answer.ErrorCode, answer.ErrorMessage = refused.split()
		response.Resources = append(response.Resources, answer)
	}
	if r.Request.ValidateOnly {
		out = nil
	}
	return Result{Records: out, Response: response}, nil
}

func resourceOf(t kmsg.ConfigResourceType, name string) metadata.ConfigResource {
	return metadata.ConfigResource{Type: metadata.ResourceType(t), Name: name}
}

// checkResource refuses resources of unknown type and those named twice; again says that this was answered before.
func checkResource(r metadata.ConfigResource, times map[metadata.ConfigResource]int) (refused *refusal, again bool) {
	switch r.Type {
	case metadata.TopicResource, metadata.BrokerResource, metadata.ClientMetricsResource, metadata.GroupResource:
	default:
		return refuse(kerr.UnsupportedVersion, "Unknown resource type %d.", r.Type), false
	}
	if n := times[r]; n != 1 {
		times[r] = 0
		return refuse(kerr.InvalidRequest, "Duplicate resource."), n == 0
	}
	return nil, false
}

// replaceConfigs makes configs the whole configuration of a resource.
func (c *Controller) replaceConfigs(out *records, r metadata.ConfigResource, configs []kmsg.AlterConfigsRequestResourceConfig) *refusal {
	before := c.Image().Configs.Of(r)
	after := make(map[string]string, len(configs))
	for _, config := range configs {
		if config.Value == nil {
			return refuse(kerr.InvalidConfig, "Null value not supported for : %s", config.Name)
		}
		after[config.Name] = *config.Value
	}
	if refused := c.validateConfigs(r, before, after); refused != nil {
		return refused
	}
	if refused := c.checkExists(r); refused != nil {
		return refused
	}
	changes := make(map[string]bool)
	for name := range before {
		changes[name] = true
	}
	for name := range after {
		changes[name] = true
	}
	c.writeConfigs(out, r, before, after, sortedKeys(changes))
	return nil
}

// writeConfigs adds the records of the keys that changed. For a broker a value counts as changed even if it is the
// same: it makes the broker read a file again that the key names (KAFKA-14136).
func (c *Controller) writeConfigs(out *records, r metadata.ConfigResource, before, after map[string]string, keys []string) {
	for _, name := range keys {
		old, was := before[name]
		value, is := after[name]
		if was == is && old == value && (r.Type != metadata.BrokerResource || !is) {
			continue
		}
		body := &schema.ConfigRecord{ResourceType: int8(r.Type), ResourceName: r.Name, Name: name}
		if is {
			body.Value = &value
		}
		out.add(body, 0)
	}
}

// validateConfigs judges what would be stored.
func (c *Controller) validateConfigs(r metadata.ConfigResource, before, after map[string]string) *refusal {
	for _, name := range sortedKeys(after) {
		if len(after[name]) > maxConfigValue {
			return refuse(kerr.InvalidConfig, "The configuration value cannot be added because it exceeds the maximum value size of %d bytes.", maxConfigValue)
		}
	}
	if refused := c.protectMinInSync(r, before, after); refused != nil {
		return refused
	}
	if err := c.cfg.Configs.Validate(r, before, after); err != nil {
		return refuseErr(err)
	}
	return nil
}

// protectMinInSync keeps min.insync.replicas the cluster's while eligible leader replicas are on: which replicas
// are eligible depends on it, so that all nodes must see the same value (KIP-966).
func (c *Controller) protectMinInSync(r metadata.ConfigResource, before, after map[string]string) *refusal {
	if r.Type != metadata.BrokerResource || !c.Image().Features.ELR() {
		return nil
	}
	old, was := before[minInSyncReplicas]
	value, is := after[minInSyncReplicas]
	switch {
	case r.Name != "" && (was != is || old != value):
		return refuse(kerr.InvalidConfig, "Broker-level min.insync.replicas cannot be altered while ELR is enabled.")
	case r.Name == "" && was && !is:
		return refuse(kerr.InvalidConfig, "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")
	}
	return nil
}

// checkExists refuses to configure a topic or broker that is not there.
func (c *Controller) checkExists(r metadata.ConfigResource) *refusal {
	switch r.Type {
	case metadata.TopicResource:
		if c.Image().Topics.ByName(r.Name) == nil {
			return refuse(kerr.UnknownTopicOrPartition, "The topic '%s' does not exist.", r.Name)
		}
	case metadata.BrokerResource:
		if r.Name == "" {
			return nil
		}
		id, err := strconv.ParseInt(r.Name, 10, 32)
		if err != nil {
			return refuse(kerr.InvalidRequest, "Invalid broker name %s", r.Name)
		}
		node := kafka.NodeID(id)
		if c.Image().Cluster.Broker(node) == nil && c.Image().Cluster.Controller(node) == nil {
			return refuse(kerr.BrokerIDNotRegistered, "No node with id %d found.", id)
		}
	}
	return nil
}
