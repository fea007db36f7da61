package kafkatools

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// clusterNode is a node as DescribeCluster has it.
type clusterNode struct {
	id   int32
	host string
	port int32
	rack *string
	// fenced nodes are only told of when they are asked for.
	fenced bool
}

// String is Node.toString of Java.
func (n clusterNode) String() string {
	rack := "null"
	if n.rack != nil {
		rack = *n.rack
	}
	return fmt.Sprintf("%s:%d (id: %d rack: %s isFenced: %v)", n.host, n.port, n.id, rack, n.fenced)
}

// nodes are the nodes of the cluster, in the order of the answer.
func (c *client) nodes(ctx context.Context) ([]clusterNode, error) {
	_, all, err := c.cluster(ctx, kmsg.NewPtrDescribeClusterRequest())
	return all, err
}

// Types of endpoints of DescribeCluster.
const (
	brokerEndpoints     = 1
	controllerEndpoints = 2
)

// cluster is the id of the cluster and its nodes: those of the type that req asks for, or of the other type where the server
// serves that one. It leaves in req which it was.
func (c *client) cluster(ctx context.Context, req *kmsg.DescribeClusterRequest) (string, []clusterNode, error) {
	resp, err := askAny[*kmsg.DescribeClusterResponse](ctx, c, "listNodes", req)
	if err == nil && resp.ErrorCode == kerr.MismatchedEndpointType.Code {
		req.EndpointType = brokerEndpoints + controllerEndpoints - req.EndpointType
		resp, err = askAny[*kmsg.DescribeClusterResponse](ctx, c, "listNodes", req)
	}
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return "", nil, err
	}
	var all []clusterNode
	for _, b := range resp.Brokers {
		all = append(all, clusterNode{b.NodeID, b.Host, b.Port, b.Rack, b.IsFenced})
	}
	return resp.ClusterID, all, nil
}

// configEntry is one configuration of a resource.
type configEntry struct {
	name                string
	value               *string
	source              kmsg.ConfigSource
	sensitive, readOnly bool
	synonyms            []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym
}

// text is the value as Java prints it.
func (e configEntry) text() string { return orNull(e.value) }

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// resource names what has configurations.
type resource struct {
	kind kmsg.ConfigResourceType
	name string
}

// configs describes resources. Those of a broker are asked of that broker.
func (c *client) configs(ctx context.Context, synonyms bool, of ...resource) (map[resource][]configEntry, error) {
	found := map[resource][]configEntry{}
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.IncludeSynonyms = synonyms
	for _, r := range of {
		w := kmsg.NewDescribeConfigsRequestResource()
		w.ResourceType, w.ResourceName = r.kind, r.name
		req.Resources = append(req.Resources, w)
	}
	resp, err := ask[*kmsg.DescribeConfigsResponse](ctx, c, "describeConfigs", req)
	if err != nil {
		return nil, err
	}
	for _, r := range resp.Resources {
		if err := javaCode(r.ErrorCode, r.ErrorMessage); err != nil {
			return nil, err
		}
		var all []configEntry
		for _, e := range r.Configs {
			all = append(all, configEntry{e.Name, e.Value, e.Source, e.IsSensitive, e.ReadOnly, e.ConfigSynonyms})
		}
		found[resource{r.ResourceType, r.ResourceName}] = java.HashOrder(all, func(e configEntry) int32 { return java.HashString(e.name) })
	}
	return found, nil
}

// topicConfigs are the configurations of topics, in the order of Java's map of them.
func (c *client) topicConfigs(ctx context.Context, topics []string) (map[string][]configEntry, error) {
	var of []resource
	for _, t := range topics {
		of = append(of, resource{kmsg.ConfigResourceTypeTopic, t})
	}
	found, err := c.configs(ctx, false, of...)
	byTopic := map[string][]configEntry{}
	for r, entries := range found {
		byTopic[r.name] = entries
	}
	return byTopic, err
}

// javaUUID reads a UUID as Java's client does, and complains in its words.
func javaUUID(s string) (kafka.UUID, error) {
	var id kafka.UUID
	if len(s) > 24 {
		return id, fmt.Errorf("Input string with prefix `%s` is too long to be decoded as a base64 UUID", s[:24])
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return !isBase64URL(r) }); i >= 0 {
		return id, fmt.Errorf("Illegal base64 character %x", s[i])
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return id, fmt.Errorf("Last unit does not have enough valid bits")
	}
	if len(b) != len(id) {
		return id, fmt.Errorf("Input string `%s` decoded as %d bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID", s, len(b))
	}
	copy(id[:], b)
	return id, nil
}

func isBase64URL(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=", r)
}
