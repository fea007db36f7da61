package metadata

import (
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/schema"
)

// ConfigChange is what a delta does to the configuration of one resource; nil says that nothing is set. Read only.
type ConfigChange struct {
	Resource      ConfigResource
	Before, After map[string]string
}

// configsDelta holds the whole later configuration of each resource that was written.
type configsDelta struct {
	changed map[ConfigResource]map[string]string
}

func (d *Delta) configEdit(r ConfigResource) map[string]string {
	if d.configs == nil {
		d.configs = &configsDelta{changed: make(map[ConfigResource]map[string]string)}
	}
	values, ok := d.configs.changed[r]
	if !ok || values == nil {
		if !ok {
			values = maps.Clone(d.base.Configs.Of(r))
		}
		if values == nil {
			values = make(map[string]string)
		}
		d.configs.changed[r] = values
	}
	return values
}

// Config returns the configuration of a resource with the delta applied. Read only.
func (d *Delta) Config(r ConfigResource) map[string]string {
	if d.configs != nil {
		if values, ok := d.configs.changed[r]; ok {
			return values
		}
	}
	return d.base.Configs.Of(r)
}

// Configs returns the resources whose configuration was written, sorted. A write of the same value counts:
// Kafka uses it to make brokers reload files that a key names (KAFKA-14136).
func (d *Delta) Configs() []ConfigChange {
	if d.configs == nil {
		return nil
	}
	var changes []ConfigChange
	for _, r := range slices.SortedFunc(maps.Keys(d.configs.changed), compareResources) {
		changes = append(changes, ConfigChange{Resource: r, Before: d.base.Configs.Of(r), After: d.configs.changed[r]})
	}
	return changes
}

func (d *Delta) replayConfig(r *schema.ConfigRecord) {
	values := d.configEdit(ConfigResource{Type: ResourceType(r.ResourceType), Name: r.ResourceName})
	if r.Value == nil {
		delete(values, r.Name)
		return
	}
	values[r.Name] = *r.Value
}

// removeConfigs drops the configuration of a resource that is gone.
func (d *Delta) removeConfigs(r ConfigResource) {
	if len(d.Config(r)) > 0 {
		d.configEdit(r)
		d.configs.changed[r] = nil
	}
}

func (d *configsDelta) apply(c *Configs) *Configs {
	if d == nil {
		return c
	}
	edit := c.all.Edit()
	for r, values := range d.changed {
		if len(values) == 0 {
			edit.Remove(r)
		} else {
			edit.Set(r, values)
		}
	}
	return &Configs{all: edit.Finish()}
}
