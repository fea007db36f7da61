package metadata

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/schema"
)

// ResourceType is what a configuration belongs to, with the numbers of the wire.
type ResourceType int8

// The resource types.
const (
	TopicResource         ResourceType = 2
	BrokerResource        ResourceType = 4
	BrokerLoggerResource  ResourceType = 8
	ClientMetricsResource ResourceType = 16
	GroupResource         ResourceType = 32
)

// ConfigResource names what a configuration belongs to. A broker's name is its id; the empty name stands for the
// default of all brokers.
type ConfigResource struct {
	Type ResourceType
	Name string
}

// Configs are the dynamic configurations. The zero value is empty.
type Configs struct {
	all Map[ConfigResource, map[string]string]
}

// Of returns the configuration of a resource, nil when nothing is set. Read only.
func (c *Configs) Of(r ConfigResource) map[string]string {
	found, _ := c.all.Get(r)
	return found
}

// Topic returns the configuration of a topic. Read only.
func (c *Configs) Topic(name string) map[string]string {
	return c.Of(ConfigResource{Type: TopicResource, Name: name})
}

// Resources returns the resources of a type that have a configuration, sorted by name.
func (c *Configs) Resources(t ResourceType) []ConfigResource {
	var found []ConfigResource
	for r := range c.all.All() {
		if r.Type == t {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, compareResources)
	return found
}

func compareResources(a, b ConfigResource) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
}

func (c *Configs) write(w *writer) {
	resources := make([]ConfigResource, 0, c.all.Len())
	for r := range c.all.All() {
		resources = append(resources, r)
	}
	slices.SortFunc(resources, compareResources)
	for _, r := range resources {
		values := c.Of(r)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			value := values[name]
			w.put(&schema.ConfigRecord{ResourceType: int8(r.Type), ResourceName: r.Name, Name: name, Value: &value}, 0)
		}
	}
}
