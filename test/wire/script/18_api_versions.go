package script

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func apiVersionsRequest() *kmsg.ApiVersionsRequest {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "wire", "1.0"
	return req
}

func apiVersionsSample(*run) kmsg.Request { return apiVersionsRequest() }

func apiVersions(r *run) {
	r.do("ordinary", apiVersionsRequest())
	edited := func(name string, edit func(*kmsg.ApiVersionsRequest)) {
		req := apiVersionsRequest()
		edit(req)
		r.do(name, req)
	}
	if r.version >= 3 {
		edited("empty software name", func(q *kmsg.ApiVersionsRequest) { q.ClientSoftwareName = "" })
		edited("empty software version", func(q *kmsg.ApiVersionsRequest) { q.ClientSoftwareVersion = "" })
		edited("software name with a space", func(q *kmsg.ApiVersionsRequest) { q.ClientSoftwareName = "a b" })
		edited("software name with dots and dashes", func(q *kmsg.ApiVersionsRequest) { q.ClientSoftwareName = "a.b-c" })
		edited("software name ends in a dash", func(q *kmsg.ApiVersionsRequest) { q.ClientSoftwareName = "a-" })
		edited("software version not ASCII", func(q *kmsg.ApiVersionsRequest) { q.ClientSoftwareVersion = "ä" })
		edited("software name of 1000", func(q *kmsg.ApiVersionsRequest) { q.ClientSoftwareName = long(1000) })
	}
	if r.version >= 5 {
		edited("right cluster and node", func(q *kmsg.ApiVersionsRequest) {
			q.ClusterID, q.NodeID = ptr(r.target.ClusterID), r.target.NodeID
		})
		edited("wrong cluster", func(q *kmsg.ApiVersionsRequest) { q.ClusterID, q.NodeID = ptr("other"), r.target.NodeID })
		edited("wrong node", func(q *kmsg.ApiVersionsRequest) { q.ClusterID, q.NodeID = ptr(r.target.ClusterID), 77 })
		edited("wrong node without cluster", func(q *kmsg.ApiVersionsRequest) { q.NodeID = 77 })
		edited("right node without cluster", func(q *kmsg.ApiVersionsRequest) { q.NodeID = r.target.NodeID })
		edited("wrong cluster without node", func(q *kmsg.ApiVersionsRequest) { q.ClusterID = ptr("other") })
		edited("empty cluster", func(q *kmsg.ApiVersionsRequest) { q.ClusterID, q.NodeID = ptr(""), r.target.NodeID })
		edited("node -2", func(q *kmsg.ApiVersionsRequest) { q.ClusterID, q.NodeID = ptr(r.target.ClusterID), -2 })
	}
	if r.version == 0 {
		apiVersionsUnknown(r)
	}
}

// apiVersionsUnknown asks with versions that nobody serves: the answer is in
// version 0 whatever was asked.
func apiVersionsUnknown(r *run) {
	req := apiVersionsRequest()
	req.SetVersion(5)
	for _, v := range []int16{6, 99, 1<<15 - 1} {
		r.raw(fmt.Sprint("version ", v), v, true, req.AppendTo(nil))
	}
	r.raw("version -1", -1, false, nil)
	r.raw("version 6 without a body", 6, false, nil)
	r.raw("version 6 with noise", 6, true, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
}
