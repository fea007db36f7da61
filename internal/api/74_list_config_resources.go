package api

import (
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/metadata"
)

// ListConfigResources, key 74, versions 0 and 1. KIP-1000 (version 0: client metrics), KIP-1142 (version 1: any type;
// an empty list asks for all).
func listConfigResources(c *call, req *kmsg.ListConfigResourcesRequest) *kmsg.ListConfigResourcesResponse {
	resp := kmsg.NewPtrListConfigResourcesResponse()
	types := req.ResourceTypes
	if req.Version == 0 {
		types = []int8{int8(metadata.ClientMetricsResource)}
	} else if len(types) == 0 {
		types = []int8{
			int8(metadata.TopicResource), int8(metadata.BrokerResource), int8(metadata.BrokerLoggerResource),
			int8(metadata.ClientMetricsResource), int8(metadata.GroupResource),
		}
	}
	for i, t := range types {
		if slices.Contains(types[:i], t) {
			continue
		}
		names, ok := configResources(c, metadata.ResourceType(t))
		if !ok {
			resp = kmsg.NewPtrListConfigResourcesResponse()
			resp.ErrorCode = kerr.UnsupportedVersion.Code
			return resp
		}
		for _, name := range names {
			r := kmsg.NewListConfigResourcesResponseConfigResource()
			r.Name, r.Type = name, t
			resp.ConfigResources = append(resp.ConfigResources, r)
		}
	}
	return resp
}

// configResources lists what has or could have a configuration of type t; false when there is no such type.
func configResources(c *call, t metadata.ResourceType) (names []string, ok bool) {
	image := c.image()
	switch t {
	case metadata.TopicResource:
		for _, topic := range image.Topics.Sorted() {
			names = append(names, topic.Name)
		}
	case metadata.BrokerResource, metadata.BrokerLoggerResource:
		for _, b := range image.Cluster.Brokers() {
			names = append(names, strconv.Itoa(int(b.ID)))
		}
	case metadata.ClientMetricsResource, metadata.GroupResource:
		for _, r := range image.Configs.Resources(t) {
			names = append(names, r.Name)
		}
	default:
		return nil, false
	}
	return names, true
}
