package api

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// DescribeConfigs, key 32, versions 1 to 4. KIP-133, KIP-226 (synonyms), KIP-569 (type and documentation, version 3).
// Each resource has its own error. A broker answers for itself and for the defaults of all brokers (the empty name).
func describeConfigs(c *call, req *kmsg.DescribeConfigsRequest) *kmsg.DescribeConfigsResponse {
	resp := kmsg.NewPtrDescribeConfigsResponse()
	req.Resources = repeated(req.Resources, mostRepeats, func(r kmsg.DescribeConfigsRequestResource) string {
		return fmt.Sprint(r.ResourceType, "/", r.ResourceName)
	})
	invented := 0
	strange := slices.ContainsFunc(req.Resources, func(r kmsg.DescribeConfigsRequestResource) bool { return !describable(r.ResourceType) })
	for _, r := range req.Resources {
		m := kmsg.NewDescribeConfigsResponseResource()
		m.ResourceType, m.ResourceName = r.ResourceType, r.ResourceName
		var entries []config.Entry
		err := error(kerr.InvalidRequest) // one resource of no known type takes the others with it, as in Kafka
		if !strange && !c.configured(r) {
			invented++
		}
		switch {
		case invented > mostInvented:
			err = fmt.Errorf("more than %d resources that nobody has configured, in one request: %w", mostInvented, kerr.InvalidRequest)
		case !strange:
			entries, err = describeResource(c, r)
		}
		m.ErrorCode, m.ErrorMessage = code(err), new(string) // Kafka's message is empty, not null
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			m.ErrorMessage = message(err)
		}
		for _, e := range entries {
			m.Configs = append(m.Configs, configEntry(e, req))
		}
		resp.Resources = append(resp.Resources, m)
	}
	return resp
}

// mostInvented is how many groups and subscriptions that nobody has configured one answer describes: they need not exist, and each has all defaults.
const mostInvented = 1000

// configured reports whether a resource exists, or has something of its own: an answer is in proportion to what is there.
func (c *call) configured(r kmsg.DescribeConfigsRequestResource) bool {
	if r.ResourceType != kmsg.ConfigResourceTypeGroupConfig && r.ResourceType != kmsg.ConfigResourceTypeClientMetrics {
		return true
	}
	return len(c.image().Configs.Of(metadata.ConfigResource{Type: metadata.ResourceType(r.ResourceType), Name: r.ResourceName})) > 0
}

func describable(t kmsg.ConfigResourceType) bool {
	switch t {
	case kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeBrokerLogger,
		kmsg.ConfigResourceTypeGroupConfig, kmsg.ConfigResourceTypeClientMetrics:
		return true
	}
	return false
}

func describeResource(c *call, r kmsg.DescribeConfigsRequestResource) ([]config.Entry, error) {
	image := c.image()
	stored := image.Configs.Of(metadata.ConfigResource{Type: metadata.ResourceType(r.ResourceType), Name: r.ResourceName})
	keys := r.ConfigNames
	sources := SourcesAt(c.Config, image)
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		if err := kafka.CheckTopicName(r.ResourceName); err != nil {
			return nil, fmt.Errorf("Topic name is invalid: %w: %w", err, kerr.InvalidTopicException)
		}
		if image.Topics.ByName(r.ResourceName) == nil {
			return nil, kerr.UnknownTopicOrPartition
		}
		return sources.DescribeTopic(stored, keys), nil
	case kmsg.ConfigResourceTypeBroker:
		return describeBroker(c, sources, r)
	case kmsg.ConfigResourceTypeBrokerLogger:
		return describeLoggers(c, r)
	case kmsg.ConfigResourceTypeGroupConfig:
		if r.ResourceName == "" {
			return nil, fmt.Errorf("Group name must not be empty: %w", kerr.InvalidRequest)
		}
		return sources.DescribeGroup(stored, keys), nil
	case kmsg.ConfigResourceTypeClientMetrics:
		if r.ResourceName == "" {
			return nil, fmt.Errorf("Client metrics subscription name must not be empty: %w", kerr.InvalidRequest)
		}
		return config.DescribeClientMetrics(stored, keys), nil
	}
	return nil, kerr.InvalidRequest
}

func describeBroker(c *call, sources config.Sources, r kmsg.DescribeConfigsRequestResource) ([]config.Entry, error) {
	if r.ResourceName == "" {
		return sources.DescribeClusterDefault(r.ConfigNames), nil
	}
	id, err := strconv.ParseInt(r.ResourceName, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("Broker id must be an integer, but it is: %s: %w", r.ResourceName, kerr.InvalidRequest)
	}
	if kafka.NodeID(id) != c.id() {
		return nil, fmt.Errorf("Unexpected broker id, expected %d or empty string, but received %s: %w", c.id(), r.ResourceName, kerr.InvalidRequest)
	}
	return sources.DescribeBroker(r.ConfigNames), nil
}

// describeLoggers lists the levels of the node's loggers.
func describeLoggers(c *call, r kmsg.DescribeConfigsRequestResource) ([]config.Entry, error) {
	if r.ResourceName == "" {
		return nil, fmt.Errorf("Broker id must not be empty: %w", kerr.InvalidRequest)
	}
	id, err := strconv.ParseInt(r.ResourceName, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("Broker id must be an integer, but it is: %s: %w", r.ResourceName, kerr.InvalidRequest)
	}
	if kafka.NodeID(id) != c.id() {
		return nil, fmt.Errorf("Unexpected broker id, expected %d but received %s: %w", c.id(), r.ResourceName, kerr.InvalidRequest)
	}
	var entries []config.Entry
	for _, l := range c.Levels.All() {
		if len(r.ConfigNames) == 0 || slices.Contains(r.ConfigNames, l.Name) {
			entries = append(entries, config.Entry{Name: l.Name, Value: &l.Level, Source: config.FromLogger})
		}
	}
	return entries, nil
}

func configEntry(e config.Entry, req *kmsg.DescribeConfigsRequest) kmsg.DescribeConfigsResponseResourceConfig {
	m := kmsg.NewDescribeConfigsResponseResourceConfig()
	m.Name, m.Value, m.Source = e.Name, e.Value, kmsg.ConfigSource(e.Source)
	m.ReadOnly, m.IsSensitive, m.ConfigType = e.ReadOnly, e.Sensitive, kmsg.ConfigType(e.Type)
	m.IsDefault = e.Source == config.FromDefault
	if req.IncludeSynonyms {
		for _, s := range e.Synonyms {
			ms := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
			ms.Name, ms.Value, ms.Source = s.Name, s.Value, kmsg.ConfigSource(s.Source)
			m.ConfigSynonyms = append(m.ConfigSynonyms, ms)
		}
	}
	if req.IncludeDocumentation || e.Source == config.FromLogger { // of a logger it is empty, not null
		m.Documentation = &e.Doc
	}
	return m
}
