package script

import "github.com/twmb/franz-go/pkg/kmsg"

func describeClusterSample(r *run) kmsg.Request {
	req := kmsg.NewPtrDescribeClusterRequest()
	if r.api.where == controller {
		req.EndpointType = 2
	}
	return req
}

func describeCluster(r *run) {
	edited := func(name string, edit func(*kmsg.DescribeClusterRequest)) {
		req := describeClusterSample(r).(*kmsg.DescribeClusterRequest)
		edit(req)
		r.do(name, req)
	}
	edited("ordinary", func(*kmsg.DescribeClusterRequest) {})
	edited("authorized operations", func(q *kmsg.DescribeClusterRequest) { q.IncludeClusterAuthorizedOperations = true })
	if r.version >= 1 {
		edited("endpoint type 0", func(q *kmsg.DescribeClusterRequest) { q.EndpointType = 0 })
		edited("endpoint type 1, brokers", func(q *kmsg.DescribeClusterRequest) { q.EndpointType = 1 })
		edited("endpoint type 2, controllers", func(q *kmsg.DescribeClusterRequest) { q.EndpointType = 2 })
		edited("endpoint type 3", func(q *kmsg.DescribeClusterRequest) { q.EndpointType = 3 })
		edited("endpoint type -1", func(q *kmsg.DescribeClusterRequest) { q.EndpointType = -1 })
	}
	if r.version >= 2 {
		edited("fenced brokers too", func(q *kmsg.DescribeClusterRequest) { q.IncludeFencedBrokers = true })
	}
}
