package script

import "github.com/twmb/franz-go/pkg/kmsg"

// wanted is one partition to fetch.
type wanted struct {
	topic  string // short name
	n      int32
	offset int64
	edit   func(*kmsg.FetchRequestTopicPartition)
}

// fetchRequest asks for partitions outside any session. Names and ids are both
// set; the version decides which is sent.
func fetchRequest(r *run, ws ...wanted) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 0, 0, 1<<20
	req.SessionEpoch = -1
	for _, w := range ws {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = w.n, w.offset, 1<<20
		if w.edit != nil {
			w.edit(&p)
		}
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID = r.name(w.topic), r.id(w.topic)
		if t.TopicID == [16]byte{} {
			t.TopicID = strangeID
		}
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func fetchSample(r *run) kmsg.Request { return fetchRequest(r) }

func fetch(r *run) {
	r.make(newTopic(r.name("a"), 2), newTopic(r.name("b"), 1), newTopic(r.name("empty"), 1), newTopic(r.name("cut"), 1))
	var sizes []int
	for i := range 4 {
		b := records{count: i + 1, ts: epochTime + int64(i)*1000}.batch()
		sizes = append(sizes, len(b))
		r.produce("a", b)
	}
	r.produce("b", records{count: 50, codec: 1}.batch(), records{count: 2, codec: 4}.batch())
	r.produce("cut", records{count: 4}.batch(), records{count: 4}.batch())
	r.deleteRecords("cut", 0, 5)

	at := func(name, topic string, n int32, offset int64) {
		r.do(name, fetchRequest(r, wanted{topic, n, offset, nil}))
	}
	r.do("no topics", fetchRequest(r))
	at("from the start", "a", 0, 0)
	at("within a batch", "a", 0, 4)
	at("at the end", "a", 0, 10)
	at("past the end", "a", 0, 11)
	at("negative offset", "a", 0, -1)
	at("very negative offset", "a", 0, -1<<63)
	at("far past the end", "a", 0, 1<<62)
	at("empty topic", "empty", 0, 0)
	at("empty partition", "a", 1, 0)
	at("compressed", "b", 0, 0)
	at("below the log start", "cut", 0, 0)
	at("at the log start, within a batch", "cut", 0, 5)
	at("unknown topic", "none", 0, 0)
	at("unknown partition", "a", 7, 0)
	at("negative partition", "a", -1, 0)
	r.do("two topics", fetchRequest(r, wanted{"a", 0, 0, nil}, wanted{"b", 0, 50, nil}))
	r.do("good and bad", fetchRequest(r, wanted{"a", 0, 9, nil}, wanted{"none", 0, 0, nil}, wanted{"a", 5, 0, nil}))
	r.do("the same partition twice", fetchRequest(r, wanted{"a", 0, 9, nil}, wanted{"a", 0, 9, nil}))
	fetchSizes(r, sizes)
	fetchEpochs(r)
	fetchAsReplica(r)
	if r.version >= 7 {
		fetchSessions(r)
	}
	fetchGone(r)
	fetchLong(r)
}

// fetchGone fetches topics that were deleted, or deleted and made again.
func fetchGone(r *run) {
	r.make(newTopic(r.name("gone"), 1), newTopic(r.name("again"), 1))
	r.produce("again", records{count: 2}.batch())
	old := r.id("again")
	session := func(name string, id, epoch int32, ws ...wanted) int32 {
		req := fetchRequest(r, ws...)
		req.SessionID, req.SessionEpoch = id, epoch
		return do[*kmsg.FetchResponse](r, "deleted: "+name, req).SessionID
	}
	id := session("session before", 0, 0, wanted{"gone", 0, 0, nil}, wanted{"again", 0, 0, nil})
	r.remove("gone", "again")
	r.do("deleted: topic", fetchRequest(r, wanted{"gone", 0, 0, nil}))
	session("session after", id, 1)
	r.make(newTopic(r.name("again"), 1))
	req := fetchRequest(r, wanted{"again", 0, 0, nil})
	req.Topics[0].TopicID = old
	r.do("made again: the old id", req)
	r.do("made again: the new one", fetchRequest(r, wanted{"again", 0, 0, nil}))
	session("session, made again", id, 2)
	session("session, made again, another time", id, 3)
}

// fetchLong waits for records that come while it waits.
func fetchLong(r *run) {
	req := fetchRequest(r, wanted{"a", 1, 0, nil})
	req.MinBytes, req.MaxWaitMillis = 1, 10_000
	r.meanwhile(broker, "long poll woken by a produce", req, func() { r.produceTo("a", 1, records{count: 1}.batch()) })
	small := fetchRequest(r, wanted{"a", 1, 1, nil})
	small.MinBytes, small.MaxWaitMillis = 120, 10_000
	r.meanwhile(broker, "long poll woken by enough", small, func() {
		r.produceTo("a", 1, records{count: 1}.batch())
		r.produceTo("a", 1, records{count: 1}.batch())
	})
	gone := fetchRequest(r, wanted{"empty", 0, 1, nil})
	gone.MinBytes, gone.MaxWaitMillis = 1, 10_000
	if r.version < 7 {
		gone.Topics[0].Partitions[0].FetchOffset = 0
	}
	r.meanwhile(broker, "long poll woken by a deletion", gone, func() { r.settle(); r.remove("empty") })
}

// deleteRecords moves a log start outside the transcript.
func (r *run) deleteRecords(short string, n int32, offset int64) {
	req := deleteRecordsRequest(r.name(short), n, offset)
	req.SetVersion(2)
	if _, err := r.ask(broker, req); err != nil {
		r.fail("delete records: %w", err)
	}
}

// fetchSizes tries the bounds on bytes and waiting.
func fetchSizes(r *run, sizes []int) {
	limited := func(name string, edit func(*kmsg.FetchRequest), ws ...wanted) {
		req := fetchRequest(r, ws...)
		edit(req)
		r.do(name, req)
	}
	a := wanted{"a", 0, 0, nil}
	few := func(n int) wanted {
		return wanted{"a", 0, 0, func(p *kmsg.FetchRequestTopicPartition) { p.PartitionMaxBytes = int32(n) }}
	}
	all := func(*kmsg.FetchRequest) {}
	limited("max bytes 0", func(q *kmsg.FetchRequest) { q.MaxBytes = 0 }, a)
	limited("max bytes 1", func(q *kmsg.FetchRequest) { q.MaxBytes = 1 }, a)
	limited("max bytes 1, two partitions", func(q *kmsg.FetchRequest) { q.MaxBytes = 1 }, a, wanted{"b", 0, 0, nil})
	limited("max bytes negative", func(q *kmsg.FetchRequest) { q.MaxBytes = -1 }, a)
	limited("partition max bytes 0", all, few(0))
	limited("partition max bytes 1", all, few(1))
	limited("partition max bytes negative", all, few(-1))
	limited("partition max bytes 1, second in order", all, wanted{"b", 0, 0, nil}, few(1))
	limited("partition max bytes of one batch", all, few(sizes[0]))
	limited("partition max bytes of one and a half", all, few(sizes[0]+sizes[1]/2))
	limited("partition max bytes of two", all, few(sizes[0]+sizes[1]))
	limited("min bytes cannot be had", func(q *kmsg.FetchRequest) { q.MinBytes, q.MaxWaitMillis = 1<<20, 20 }, a)
	limited("min bytes at the end", func(q *kmsg.FetchRequest) { q.MinBytes, q.MaxWaitMillis = 1, 20 }, wanted{"a", 0, 10, nil})
	limited("min bytes with an error", func(q *kmsg.FetchRequest) { q.MinBytes, q.MaxWaitMillis = 1<<20, 1000 }, wanted{"none", 0, 0, nil})
	limited("min bytes negative", func(q *kmsg.FetchRequest) { q.MinBytes = -1 }, a)
	limited("max wait negative", func(q *kmsg.FetchRequest) { q.MinBytes, q.MaxWaitMillis = 1, -1 }, wanted{"a", 0, 10, nil})
	limited("read committed", func(q *kmsg.FetchRequest) { q.IsolationLevel = 1 }, wanted{"a", 0, 9, nil})
	limited("isolation level 2", func(q *kmsg.FetchRequest) { q.IsolationLevel = 2 }, wanted{"a", 0, 9, nil})
	limited("isolation level -1", func(q *kmsg.FetchRequest) { q.IsolationLevel = -1 }, wanted{"a", 0, 9, nil})
	limited("rack", func(q *kmsg.FetchRequest) { q.Rack = "r1" }, wanted{"a", 0, 9, nil})
	limited("cluster id of another", func(q *kmsg.FetchRequest) { q.ClusterID = ptr("someone-else") }, wanted{"a", 0, 9, nil})
}

// fetchEpochs tries leader epochs, current and last fetched.
func fetchEpochs(r *run) {
	epochs := func(name string, offset int64, current, last int32) {
		r.do(name, fetchRequest(r, wanted{"a", 0, offset, func(p *kmsg.FetchRequestTopicPartition) {
			p.CurrentLeaderEpoch, p.LastFetchedEpoch = current, last
		}}))
	}
	epochs("current epoch right", 9, 0, -1)
	epochs("current epoch unknown", 9, 5, -1)
	epochs("current epoch -2", 9, -2, -1)
	epochs("last fetched epoch right", 9, 0, 0)
	epochs("last fetched epoch unknown", 9, 0, 3)
	epochs("last fetched epoch, offset past the end", 99, 0, 0)
	epochs("last fetched epoch -2", 9, 0, -2)
	r.do("log start offset given by a consumer", fetchRequest(r, wanted{"a", 0, 9, func(p *kmsg.FetchRequestTopicPartition) { p.LogStartOffset = 3 }}))
}

// fetchAsReplica fetches as a follower would.
func fetchAsReplica(r *run) {
	as := func(name string, id int32, epoch int64, offset int64) {
		req := fetchRequest(r, wanted{"a", 0, offset, nil})
		r.asReplica(req, id, epoch)
		r.do(name, req)
	}
	as("replica not assigned", 9, -1, 0)
	as("replica not assigned, with an epoch", 9, 5, 0)
	as("the leader itself", r.target.NodeID, -1, 0)
	as("debug consumer", -2, -1, 9)
	as("replica id -3", -3, -1, 9)
}

// asReplica says who fetches, in the field of the version: kmsg would write the other one too.
func (r *run) asReplica(req *kmsg.FetchRequest, id int32, epoch int64) {
	if r.version < 15 {
		req.ReplicaID = id
		return
	}
	req.ReplicaState.ID, req.ReplicaState.Epoch = id, epoch
}

// fetchSessions walks an incremental session.
func fetchSessions(r *run) {
	in := func(name string, id, epoch int32, edit func(*kmsg.FetchRequest), ws ...wanted) int32 {
		req := fetchRequest(r, ws...)
		req.SessionID, req.SessionEpoch = id, epoch
		if edit != nil {
			edit(req)
		}
		return do[*kmsg.FetchResponse](r, "session: "+name, req).SessionID
	}
	a, b, e := wanted{"a", 0, 9, nil}, wanted{"b", 0, 50, nil}, wanted{"empty", 0, 0, nil}
	id := in("full", 0, 0, nil, a, b, e)
	in("nothing new is repeated", id, 1, nil)
	in("change one", id, 2, nil, wanted{"a", 0, 10, nil})
	in("still quiet", id, 3, nil)
	in("b at its end", id, 4, nil, wanted{"b", 0, 52, nil})
	r.produce("empty", records{count: 1}.batch())
	in("only the one that grew", id, 5, nil)
	in("wrong epoch", id, 9, nil)
	in("old epoch", id, 2, nil)
	in("right epoch after a wrong one", id, 6, nil)
	in("add an unknown topic", id, 7, nil, wanted{"none", 0, 0, nil})
	in("the unknown topic again", id, 8, nil)
	in("add a bad partition", id, 9, nil, wanted{"a", 77, 0, nil})
	in("an offset out of range", id, 10, nil, wanted{"a", 0, 99, nil})
	forget := func(short string, n int32) func(*kmsg.FetchRequest) {
		return func(q *kmsg.FetchRequest) {
			t := kmsg.NewFetchRequestForgottenTopic()
			t.Topic, t.TopicID, t.Partitions = r.name(short), r.id(short), []int32{n}
			q.ForgottenTopics = append(q.ForgottenTopics, t)
		}
	}
	in("forget empty", id, 11, forget("empty", 0))
	in("forget what is not there", id, 12, forget("empty", 44))
	in("forget and add at once", id, 13, forget("b", 0), wanted{"b", 0, 0, nil})
	in("full request with the id closes", id, 0, nil, a)
	in("the closed session", id, 14, nil)
	in("unknown session", 123456, 1, nil)
	in("negative session", -5, 1, nil)
	in("no session id, epoch 3", 0, 3, nil)
	id = in("full, nothing in it", 0, 0, nil)
	in("add to nothing", id, 1, nil, a)
	in("forget in a full request", 0, 0, forget("a", 0), a)
	in("final epoch closes", id, -1, nil, a)
	in("after the final epoch", id, 2, nil, a)
}
