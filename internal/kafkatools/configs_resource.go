package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafkatools/java"
)

// resourceTypes are the types of entities that are resources, with the source of their own configurations.
var resourceTypes = map[string]struct {
	kind   kmsg.ConfigResourceType
	source kmsg.ConfigSource
}{
	typeTopic:         {kmsg.ConfigResourceTypeTopic, kmsg.ConfigSourceDynamicTopicConfig},
	typeBroker:        {kmsg.ConfigResourceTypeBroker, kmsg.ConfigSourceDynamicBrokerConfig},
	typeBrokerLogger:  {kmsg.ConfigResourceTypeBrokerLogger, 0},
	typeClientMetrics: {kmsg.ConfigResourceTypeClientMetrics, kmsg.ConfigSourceClientMetricsConfig},
	typeGroup:         {kmsg.ConfigResourceTypeGroupConfig, kmsg.ConfigSourceGroupConfig},
}

// sourceNames are the sources as Java prints them.
var sourceNames = map[kmsg.ConfigSource]string{
	kmsg.ConfigSourceDynamicTopicConfig:         "DYNAMIC_TOPIC_CONFIG",
	kmsg.ConfigSourceDynamicBrokerConfig:        "DYNAMIC_BROKER_CONFIG",
	kmsg.ConfigSourceDynamicDefaultBrokerConfig: "DYNAMIC_DEFAULT_BROKER_CONFIG",
	kmsg.ConfigSourceStaticBrokerConfig:         "STATIC_BROKER_CONFIG",
	kmsg.ConfigSourceDefaultConfig:              "DEFAULT_CONFIG",
	kmsg.ConfigSourceDynamicBrokerLoggerConfig:  "DYNAMIC_BROKER_LOGGER_CONFIG",
	kmsg.ConfigSourceClientMetricsConfig:        "DYNAMIC_CLIENT_METRICS_CONFIG",
	kmsg.ConfigSourceGroupConfig:                "DYNAMIC_GROUP_CONFIG",
}

// alteration sets a key, or takes it away when the value is nil.
type alteration struct {
	key   string
	value *string
}

// singular is a type of entities without its last letter, as Apache's tool has it: client-metric.
func singular(kind string) string { return kind[:len(kind)-1] }

func (t *configsTool) describeEntities(ctx context.Context) error {
	switch kind := t.types[0]; kind {
	case typeUser, typeClient:
		return t.describeUsers(ctx)
	case typeIP:
		return t.describeQuotas(ctx)
	default:
		return t.describeResources(ctx, kind)
	}
}

func (t *configsTool) describeResources(ctx context.Context, kind string) error {
	if len(t.names) > 0 && !t.set.Has(t.all) {
		there, err := t.exists(ctx, kind, t.names[0])
		if err != nil {
			return err
		}
		if !there {
			t.w.printf("The %s '%s' doesn't exist and doesn't have dynamic config.\n", singular(kind), t.names[0])
			return nil
		}
	}
	names := t.names
	if len(names) == 0 {
		var err error
		if names, err = t.c.resourceNames(ctx, kind); err != nil {
			return err
		}
	} else {
		names = names[:1]
	}
	for _, name := range names {
		switch {
		case name == "":
			t.w.printf("Default configs for %s in the cluster are:\n", kind)
		case t.set.Has(t.all):
			t.w.printf("All configs for %s %s are:\n", singular(kind), name)
		default:
			t.w.printf("Dynamic configs for %s %s are:\n", singular(kind), name)
		}
		entries, err := t.c.resourceConfigs(ctx, kind, name, t.set.Has(t.all))
		if err != nil {
			return err
		}
		for _, e := range entries {
			var synonyms []string
			for _, s := range e.synonyms {
				synonyms = append(synonyms, sourceName(s.Source)+":"+s.Name+"="+orNull(s.Value))
			}
			t.w.printf("  %s=%s sensitive=%v synonyms={%s}\n", e.name, e.text(), e.sensitive, strings.Join(synonyms, ", "))
		}
	}
	return nil
}

func sourceName(s kmsg.ConfigSource) string { return cmp.Or(sourceNames[s], "UNKNOWN") }

// exists reports whether there is an entity of that name, or configurations of one.
func (t *configsTool) exists(ctx context.Context, kind, name string) (bool, error) {
	if name == "" {
		return true, nil
	}
	names, err := t.c.resourceNames(ctx, kind)
	return slices.Contains(names, name), err
}

// resourceNames are the entities of a type, in the order in which Java has them.
func (c *client) resourceNames(ctx context.Context, kind string) ([]string, error) {
	switch kind {
	case typeTopic:
		topics, err := c.topics(ctx)
		return java.StringOrder(names(topics)), err
	case typeBroker, typeBrokerLogger:
		nodes, err := c.nodes(ctx)
		var all []string
		for _, n := range nodes {
			all = append(all, strconv.Itoa(int(n.id)))
		}
		return append(all, ""), err
	case typeGroup:
		groups, err := c.listGroups(ctx, nil, nil)
		if err != nil {
			return nil, err
		}
		var all []string
		for _, g := range groups {
			all = append(all, g.id)
		}
		configured, err := c.configResources(ctx, kmsg.ConfigResourceTypeGroupConfig)
		if err != nil && !errors.Is(err, errNoSuchAPI) {
			return nil, err
		}
		for _, name := range configured {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
		return all, nil
	default:
		return c.configResources(ctx, kmsg.ConfigResourceTypeClientMetrics)
	}
}

// configResources are the names of the resources of a kind that have configurations.
func (c *client) configResources(ctx context.Context, kind kmsg.ConfigResourceType) ([]string, error) {
	req := kmsg.NewPtrListConfigResourcesRequest()
	req.ResourceTypes = []int8{int8(kind)}
	resp, err := askAny[*kmsg.ListConfigResourcesResponse](ctx, c, "listConfigResources", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, nil)
	}
	if err != nil {
		return nil, err
	}
	var all []string
	for _, r := range resp.ConfigResources {
		all = append(all, r.Name)
	}
	return all, nil
}

// resourceConfigs are the configurations of an entity, sorted by key: all of them, or those that were set for it.
func (c *client) resourceConfigs(ctx context.Context, kind, name string, all bool) ([]configEntry, error) {
	r := resource{resourceTypes[kind].kind, name}
	found, err := c.configs(ctx, true, r)
	if err != nil {
		return nil, err
	}
	source := resourceTypes[kind].source
	if kind == typeBroker && name == "" {
		source = kmsg.ConfigSourceDynamicDefaultBrokerConfig
	}
	entries := slices.DeleteFunc(found[r], func(e configEntry) bool { return !all && source != 0 && e.source != source })
	slices.SortFunc(entries, func(a, b configEntry) int { return cmp.Compare(a.name, b.name) })
	return entries, nil
}

func (t *configsTool) alterEntity(ctx context.Context) error {
	sets, err := t.added()
	if err != nil {
		return err
	}
	deletes := t.deleted()
	kind, name := t.types[0], t.names[0]
	switch kind {
	case typeUser, typeClient, typeIP:
		err = t.alterPrincipals(ctx, sets, deletes)
	case typeBrokerLogger:
		if err = t.checkLoggers(ctx, name, slices.Concat(deletes, sets)); err != nil {
			return err
		}
		fallthrough
	default:
		err = t.c.alterConfigs(ctx, altered{resource{resourceTypes[kind].kind, name}, slices.Concat(deletes, sets)})
	}
	if err != nil {
		return err
	}
	if name == "" {
		t.w.printf("Completed updating default config for %s in the cluster.\n", kind)
	} else {
		t.w.printf("Completed updating config for %s %s.\n", singular(kind), name)
	}
	return nil
}

// checkLoggers refuses keys that are no loggers of the broker.
func (t *configsTool) checkLoggers(ctx context.Context, broker string, keys []alteration) error {
	entries, err := t.c.resourceConfigs(ctx, typeBrokerLogger, broker, true)
	if err != nil {
		return err
	}
	var unknown []string
	for _, k := range keys {
		if !slices.ContainsFunc(entries, func(e configEntry) bool { return e.name == k.key }) {
			unknown = append(unknown, k.key)
		}
	}
	if unknown != nil {
		return errors.New("Invalid broker logger(s): " + strings.Join(unknown, ","))
	}
	return nil
}

// Operations of IncrementalAlterConfigs.
const (
	opSet    = 0
	opDelete = 1
)

// altered are changes of the configurations of a resource.
type altered struct {
	resource
	alterations []alteration
}

// alterConfigs changes configurations of resources; those of a broker are changed by that broker.
func (c *client) alterConfigs(ctx context.Context, changes ...altered) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, change := range changes {
		w := kmsg.NewIncrementalAlterConfigsRequestResource()
		w.ResourceType, w.ResourceName = change.kind, change.name
		for _, a := range change.alterations {
			e := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			e.Name, e.Value, e.Op = a.key, a.value, opSet
			if a.value == nil {
				e.Op, e.Value = opDelete, kmsg.StringPtr("")
			}
			w.Configs = append(w.Configs, e)
		}
		req.Resources = append(req.Resources, w)
	}
	if len(req.Resources) == 0 {
		return nil
	}
	resp, err := ask[*kmsg.IncrementalAlterConfigsResponse](ctx, c, "incrementalAlterConfigs", req)
	if err != nil {
		return err
	}
	for _, r := range resp.Resources {
		if err := javaCode(r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	if len(resp.Resources) != len(changes) {
		return fmt.Errorf("the answer mentions %d of %d resources", len(resp.Resources), len(changes))
	}
	return nil
}

// alterBrokers changes the same configurations of brokers.
func (c *client) alterBrokers(ctx context.Context, brokers []int32, alterations ...alteration) error {
	var changes []altered
	for _, b := range brokers {
		changes = append(changes, altered{resource{kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(b))}, alterations})
	}
	return c.alterConfigs(ctx, changes...)
}
