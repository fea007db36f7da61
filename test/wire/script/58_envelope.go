package script

import "github.com/twmb/franz-go/pkg/kmsg"

// anonymous is a client's principal as Kafka's brokers write it: version 0, type, name, not by a token, no tags.
var anonymous = append([]byte{0, 0, 5}, append([]byte("User\x0aANONYMOUS"), 0, 0)...)

// forwarded is a request of a client with its header, as it lies in an envelope.
func forwarded(req kmsg.Request) []byte {
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("client"))
	return f.AppendRequest(nil, req, 77)[4:]
}

func envelopeSample(*run) kmsg.Request {
	req := kmsg.NewPtrEnvelopeRequest()
	req.RequestData, req.RequestPrincipal, req.ClientHostAddress = forwarded(listReassignments(0)), anonymous, []byte{127, 0, 0, 1}
	return req
}

func listReassignments(version int16) kmsg.Request {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.Version, req.TimeoutMillis = version, 30_000
	return req
}

// envelope has requests forwarded as a broker does for its client (KIP-590).
func envelope(r *run) {
	edited := func(name string, edit func(*kmsg.EnvelopeRequest)) {
		req := envelopeSample(r).(*kmsg.EnvelopeRequest)
		edit(req)
		r.do(name, req)
	}
	type q = *kmsg.EnvelopeRequest
	holds := func(name string, inner kmsg.Request) {
		edited(name, func(q q) { q.RequestData = forwarded(inner) })
	}
	edited("ordinary", func(q) {})
	edited("no principal", func(q q) { q.RequestPrincipal = nil })
	edited("empty principal", func(q q) { q.RequestPrincipal = []byte{} })
	edited("broken principal", func(q q) { q.RequestPrincipal = q.RequestPrincipal[:5] })
	edited("principal of a later version", func(q q) { q.RequestPrincipal = append([]byte{0, 9}, q.RequestPrincipal[2:]...) })
	edited("no address", func(q q) { q.ClientHostAddress = nil })
	edited("short address", func(q q) { q.ClientHostAddress = []byte{1, 2, 3} })
	edited("address of IPv6", func(q q) { q.ClientHostAddress = make([]byte, 16) })
	edited("nothing in it", func(q q) { q.RequestData = nil })
	edited("half a header", func(q q) { q.RequestData = q.RequestData[:9] })
	edited("half a request", func(q q) { q.RequestData = q.RequestData[:len(q.RequestData)-2] })
	edited("more than a request", func(q q) { q.RequestData = append(q.RequestData, 1, 2, 3) })
	edited("unknown key", func(q q) { q.RequestData = append([]byte{0x7f, 0xff}, q.RequestData[2:]...) })
	holds("version too high", listReassignments(9))
	holds("not to be forwarded", kmsg.NewPtrDescribeClusterRequest())
	holds("for brokers alone", kmsg.NewPtrMetadataRequest())
	holds("an envelope", envelopeSample(r))
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Version, create.TimeoutMillis, create.ValidateOnly = 7, 30_000, true
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = "no/topic", 1, 1
	create.Topics = append(create.Topics, t)
	holds("a topic that has no such name", create)
}
