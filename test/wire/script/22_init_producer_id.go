package script

import "github.com/twmb/franz-go/pkg/kmsg"

func initProducerIDSample(*run) kmsg.Request {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = 60_000, -1, -1
	return req
}

func initProducerID(r *run) {
	edited := func(name string, edit func(*kmsg.InitProducerIDRequest)) {
		req := initProducerIDSample(r).(*kmsg.InitProducerIDRequest)
		edit(req)
		r.do(name, req)
	}
	edited("ordinary", func(*kmsg.InitProducerIDRequest) {})
	edited("timeout 0", func(q *kmsg.InitProducerIDRequest) { q.TransactionTimeoutMillis = 0 })
	edited("timeout negative", func(q *kmsg.InitProducerIDRequest) { q.TransactionTimeoutMillis = -1 })
	edited("timeout endless", func(q *kmsg.InitProducerIDRequest) { q.TransactionTimeoutMillis = 1<<31 - 1 })
	edited("with an id and an epoch", func(q *kmsg.InitProducerIDRequest) { q.ProducerID, q.ProducerEpoch = 5, 3 })
	edited("with an id only", func(q *kmsg.InitProducerIDRequest) { q.ProducerID = 5 })
	edited("with an epoch only", func(q *kmsg.InitProducerIDRequest) { q.ProducerEpoch = 3 })
	edited("with a negative id", func(q *kmsg.InitProducerIDRequest) { q.ProducerID, q.ProducerEpoch = -5, -5 })
	edited("empty transactional id", func(q *kmsg.InitProducerIDRequest) { q.TransactionalID = ptr("") })
}
