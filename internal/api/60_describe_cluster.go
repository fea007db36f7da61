package api

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Kinds of endpoint that DescribeCluster can be asked for (KIP-919).
const (
	brokerEndpoints     int8 = 1
	controllerEndpoints int8 = 2
)

// DescribeCluster, key 60, versions 0 to 2. KIP-700, KIP-919 (version 1 asks for brokers or controllers, and only the
// kind that the listener knows is answered), KIP-1073 (version 2 lists fenced brokers on request).
func describeCluster(c *call, req *kmsg.DescribeClusterRequest) *kmsg.DescribeClusterResponse {
	resp := kmsg.NewPtrDescribeClusterResponse()
	resp.Version = req.Version
	want := brokerEndpoints
	if c.on == onController {
		want = controllerEndpoints
	}
	kind := req.EndpointType
	if req.Version == 0 {
		kind = brokerEndpoints
	}
	if kind != want {
		return describeClusterError(resp, kind, want)
	}
	resp.EndpointType = kind
	resp.ClusterID = c.ClusterID
	if req.IncludeClusterAuthorizedOperations {
		resp.ClusterAuthorizedOperations = clusterOperations
	}
	if c.on == onController {
		describeControllers(c, resp)
		return resp
	}
	image := c.image()
	for _, b := range image.Cluster.Brokers() {
		e, ok := b.Endpoint(c.listener)
		if !ok || b.Fenced && !req.IncludeFencedBrokers {
			continue
		}
		m := kmsg.NewDescribeClusterResponseBroker()
		m.NodeID, m.Host, m.Port, m.Rack, m.IsFenced = int32(b.ID), e.Host, int32(e.Port), b.Rack, b.Fenced
		resp.Brokers = append(resp.Brokers, m)
		if resp.ControllerID < 0 && !b.Fenced {
			resp.ControllerID = m.NodeID
		}
	}
	return resp
}

func describeClusterError(resp *kmsg.DescribeClusterResponse, kind, want int8) *kmsg.DescribeClusterResponse {
	text := fmt.Sprintf("Unsupported endpoint type %d", kind)
	resp.ErrorCode = kerr.UnsupportedEndpointType.Code
	if kind == brokerEndpoints || kind == controllerEndpoints {
		resp.ErrorCode = kerr.MismatchedEndpointType.Code
		if resp.Version == 0 {
			resp.ErrorCode = kerr.InvalidRequest.Code // the other code came with version 1
		}
		text = fmt.Sprintf("The request was sent to an endpoint of type %s, but we wanted an endpoint of type %s",
			endpointName(want), endpointName(kind))
	}
	resp.ErrorMessage = &text
	return resp
}

func endpointName(kind int8) string {
	if kind == brokerEndpoints {
		return "BROKER"
	}
	return "CONTROLLER"
}

func describeControllers(c *call, resp *kmsg.DescribeClusterResponse) {
	leader, _ := c.Quorum.Leader()
	resp.ControllerID = int32(leader)
	for _, n := range c.image().Cluster.Controllers() {
		for _, e := range n.Endpoints {
			if e.Listener != c.listener {
				continue
			}
			m := kmsg.NewDescribeClusterResponseBroker()
			m.NodeID, m.Host, m.Port = int32(n.ID), e.Host, int32(e.Port)
			resp.Brokers = append(resp.Brokers, m)
		}
	}
}
