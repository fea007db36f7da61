package controller

import (
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/metadata"
)

// The operations of IncrementalAlterConfigs.
const (
	opSet      = 0
	opDelete   = 1
	opAppend   = 2
	opSubtract = 3
)

func (r IncrementalAlterConfigs) handle(c *Controller, t turn) (Result, error) {
	response := kmsg.NewPtrIncrementalAlterConfigsResponse()
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
			refused = c.changeConfigs(&out, resource, asked.Configs)
		}
		answer := kmsg.NewIncrementalAlterConfigsResponseResource()
		answer.ResourceType, answer.ResourceName = asked.ResourceType, asked.ResourceName
		answer.ErrorCode, answer.ErrorMessage = refused.split()
		response.Resources = append(response.Resources, answer)
	}
	if r.Request.ValidateOnly {
		out = nil
	}
	return Result{Records: out, Response: response}, nil
}

// changeConfigs applies single operations; of two on the same key the last counts, as in Kafka.
func (c *Controller) changeConfigs(out *records, r metadata.ConfigResource, ops []kmsg.IncrementalAlterConfigsRequestResourceConfig) *refusal {
	before := c.Image().Configs.Of(r)
	after := maps.Clone(before)
	if after == nil {
		after = make(map[string]string)
	}
	last := make(map[string]*kmsg.IncrementalAlterConfigsRequestResourceConfig, len(ops))
	for i := range ops {
		last[ops[i].Name] = &ops[i]
	}
	keys := sortedKeys(last)
	for _, name := range keys {
		if refused := c.changeConfig(r, after, last[name]); refused != nil {
			return refused
		}
	}
	if refused := c.validateConfigs(r, before, after); refused != nil {
		return refused
	}
	if refused := c.checkExists(r); refused != nil {
		return refused
	}
	c.writeConfigs(out, r, before, after, keys)
	return nil
}

func (c *Controller) changeConfig(r metadata.ConfigResource, configs map[string]string, op *kmsg.IncrementalAlterConfigsRequestResourceConfig) *refusal {
	value := ""
	if op.Value != nil {
		value = *op.Value
	}
	switch op.Op {
	case opSet:
		if op.Value == nil {
			delete(configs, op.Name)
			return nil
		}
		configs[op.Name] = value
	case opDelete:
		delete(configs, op.Name)
	case opAppend, opSubtract:
		initial, ok := c.cfg.Configs.IsList(r.Type, op.Name)
		if !ok {
			verb := "APPEND"
			if op.Op == opSubtract {
				verb = "SUBTRACT"
			}
			return refuse(kerr.InvalidConfig, "Can't %s to key %s because its type is not LIST.", verb, op.Name)
		}
		if current, set := configs[op.Name]; set {
			initial = current
		}
		configs[op.Name] = combine(initial, value, op.Op == opAppend)
	default:
		return refuse(kerr.InvalidRequest, "Unknown operation %d on config key %s.", op.Op, op.Name)
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
