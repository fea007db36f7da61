package script

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// part is one partition's records in a produce request.
type part struct {
	n       int32
	records []byte
}

// produceRequest writes parts to one topic, named both ways.
func produceRequest(topic string, id [16]byte, acks int16, parts ...part) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = acks, 5000
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.TopicID = topic, id
	for _, p := range parts {
		rp := kmsg.NewProduceRequestTopicPartition()
		rp.Partition, rp.Records = p.n, p.records
		t.Partitions = append(t.Partitions, rp)
	}
	req.Topics = append(req.Topics, t)
	return req
}

func produceSample(*run) kmsg.Request {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = 1, 5000
	return req
}

func produce(r *run) {
	r.make(newTopic(r.name("a"), 3), newTopic(r.name("small"), 1, "max.message.bytes", "200"),
		newTopic(r.name("append"), 1, "message.timestamp.type", "LogAppendTime"),
		newTopic(r.name("zstd"), 1, "compression.type", "zstd"),
		newTopic(r.name("compact"), 1, "cleanup.policy", "compact"),
		newTopic(r.name("seq"), 1), newTopic(r.name("past"), 1, "message.timestamp.before.max.ms", "1000"))
	send := func(name, topic string, acks int16, parts ...part) {
		r.do(name, produceRequest(r.name(topic), r.id(topic), acks, parts...))
	}
	one := records{count: 1}.batch()
	three := records{count: 3, key: "k", headers: 2}.batch()

	send("one record, acks all", "a", -1, part{0, one})
	send("three records, acks 1", "a", 1, part{0, three})
	send("two partitions", "a", -1, part{1, one}, part{2, three})
	send("the same partition twice", "a", -1, part{1, one}, part{1, three})
	send("two batches", "a", -1, part{0, append(append([]byte{}, one...), three...)})
	for codec, name := range []string{1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"} {
		if codec > 0 {
			send(name, "a", -1, part{0, records{count: 5, codec: int8(codec)}.batch()})
		}
	}
	send("unknown codec", "a", -1, part{0, records{count: 1, attrs: 5}.batch()})
	send("codec that does not fit", "a", -1, part{0, records{count: 1, attrs: 1}.batch()})
	send("recompressed by the topic", "zstd", -1, part{0, three})
	send("log append time", "append", -1, part{0, three})
	send("log append time from the client", "a", -1, part{0, records{count: 1, attrs: attrLogAppendTime}.batch()})
	send("empty batch", "a", -1, part{0, records{}.batch()})
	send("no key on a compacted topic", "compact", -1, part{0, one})
	send("key on a compacted topic", "compact", -1, part{0, three})
	send("batch too large", "small", -1, part{0, records{count: 20}.batch()})
	send("too old", "past", -1, part{0, one})
	send("too new", "a", -1, part{0, records{count: 1, ts: 9_000_000_000_000}.batch()})
	send("no timestamp", "a", -1, part{0, records{count: 1, ts: -1}.batch()})

	produceWrong(r, send)
	produceBytes(r, send)
	produceSequences(r, send)
	produceUnanswered(r, one)
	for _, short := range []string{"a", "append", "zstd", "compact", "seq", "past"} {
		r.contents("what "+short+" holds", short, 0)
	}
	produceGone(r, one)
}

// produceGone writes to topics that were deleted, or deleted and made again.
func produceGone(r *run, one []byte) {
	r.make(newTopic(r.name("gone"), 1), newTopic(r.name("again"), 1))
	gone, again := r.id("gone"), r.id("again")
	r.remove("gone", "again")
	r.make(newTopic(r.name("again"), 1))
	r.do("deleted topic", produceRequest(r.name("gone"), gone, -1, part{0, one}))
	r.do("topic made again, by its old id", produceRequest(r.name("again"), again, -1, part{0, one}))
}

// produceWrong asks for what is not there.
func produceWrong(r *run, send func(name, topic string, acks int16, parts ...part)) {
	one := records{count: 1}.batch()
	r.do("no topics", produceSample(r))
	send("no partitions", "a", -1)
	send("unknown partition", "a", -1, part{9, one})
	send("negative partition", "a", -1, part{-1, one})
	send("acks 2", "a", 2, part{0, one})
	send("acks -2", "a", -2, part{0, one})
	r.do("unknown topic", produceRequest(r.name("none"), strangeID, -1, part{0, one}))
	r.do("zero id and no name", produceRequest("", [16]byte{}, -1, part{0, one}))
	r.do("invalid topic name", produceRequest("a b", strangeID, 1, part{0, one}))
	req := produceRequest(r.name("a"), r.id("a"), -1, part{0, one})
	req.TimeoutMillis = -1
	r.do("negative timeout", req)
	req.TransactionID = ptr("tx")
	r.do("transactional id without a transaction", req)
	req.Topics[0].Partitions[0].Records = records{count: 1, attrs: attrTransactional, withPID: true, pid: 77}.batch()
	req.TransactionID = nil
	r.do("transactional batch without id", req)
	two := produceRequest(r.name("a"), r.id("a"), -1, part{2, one})
	two.Topics = append(two.Topics, two.Topics[0])
	r.do("the same topic twice", two)
	mixed := produceRequest(r.name("a"), r.id("a"), -1, part{0, one}, part{9, one})
	mixed.Topics = append(mixed.Topics, produceRequest(r.name("none"), strangeID, -1, part{0, one}).Topics...)
	r.do("good and bad together", mixed)
}

// produceBytes spoils the batch itself.
func produceBytes(r *run, send func(name, topic string, acks int16, parts ...part)) {
	one := records{count: 1}.batch()
	bad := func(name string, d records) { send(name, "a", -1, part{0, d.batch()}) }
	bad("bad crc", records{count: 1, spoil: func(b []byte) { b[len(b)-1] ^= 1 }})
	bad("magic 1", records{count: 1, magic: 1})
	bad("magic 3", records{count: 1, magic: 3})
	bad("control batch", records{count: 1, attrs: attrControl})
	bad("base offset not zero", records{count: 1, base: 100})
	bad("leader epoch given", records{count: 1, epoch: 9})
	bad("last offset delta too high", records{count: 2, lastBy: 1})
	bad("last offset delta too low", records{count: 2, lastBy: -1})
	bad("record count too high", records{count: 2, countBy: 1})
	bad("record count too low", records{count: 2, countBy: -1})
	bad("record count negative", records{count: 1, countBy: -5})
	bad("record count and delta absurd", records{count: 1, countBy: 1 << 30, lastBy: 1 << 30})
	bad("offset deltas wrong", records{count: 3, perDelta: func(i int) int { return i * 2 }})
	bad("offset deltas fall", records{count: 3, perDelta: func(i int) int { return 2 - i }})
	bad("max timestamp wrong", records{count: 2, maxTS: func(ts int64) int64 { return ts + 100 }})
	bad("records are noise", records{count: 1, payload: []byte{0x70, 1, 2, 3}})
	bad("record longer than the batch", records{count: 1, payload: []byte{0x40, 0, 0, 0, 1, 2, 'v', 0}})
	bad("record shorter than it is", records{count: 1, payload: []byte{0x08, 0, 0, 0, 1, 2, 'v', 0}})
	bad("record of negative length", records{count: 1, payload: []byte{0x03, 0, 0, 0, 1, 2, 'v', 0}})
	bad("record length is no varint", records{count: 1, payload: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0}})
	bad("key longer than the record", records{count: 1, payload: []byte{0x0e, 0, 0, 0, 0x60, 2, 'v', 0}})
	bad("key of length -2", records{count: 1, payload: []byte{0x0e, 0, 0, 0, 3, 2, 'v', 0}})
	bad("value longer than the record", records{count: 1, payload: []byte{0x0e, 0, 0, 0, 1, 0x60, 'v', 0}})
	bad("null value", records{count: 1, payload: []byte{0x0c, 0, 0, 0, 1, 1, 0}})
	bad("headers negative", records{count: 1, payload: []byte{0x0e, 0, 0, 0, 1, 2, 'v', 1}})
	bad("headers that are not there", records{count: 1, payload: []byte{0x0e, 0, 0, 0, 1, 2, 'v', 8}})
	bad("header key null", records{count: 1, payload: []byte{0x12, 0, 0, 0, 1, 2, 'v', 2, 1, 1}})
	bad("header key empty, value null", records{count: 1, payload: []byte{0x12, 0, 0, 0, 1, 2, 'v', 2, 0, 1}})
	bad("record attributes set", records{count: 1, payload: []byte{0x0e, 0x7f, 0, 0, 1, 2, 'v', 0}})
	bad("bytes after the last record", records{count: 1, payload: []byte{0x0e, 0, 0, 0, 1, 2, 'v', 0, 9, 9}})
	bad("gzip cut short", records{count: 1, codec: 1, cut: 6})
	bad("zstd cut short", records{count: 1, codec: 4, cut: 6})
	bad("lz4 cut short", records{count: 1, codec: 3, cut: 6})
	bad("snappy cut short", records{count: 1, codec: 2, cut: 6})
	bad("gzip, record count too high", records{count: 2, codec: 1, countBy: 1})
	bad("gzip, record count too low", records{count: 2, codec: 1, countBy: -1})
	bad("gzip, offset deltas wrong", records{count: 3, codec: 1, perDelta: func(i int) int { return i * 2 }})
	bad("gzip, max timestamp wrong", records{count: 2, codec: 1, maxTS: func(ts int64) int64 { return ts + 100 }})
	bad("gzip, bytes after the last record", records{count: 1, codec: 1, payload: []byte{0x0e, 0, 0, 0, 1, 2, 'v', 0, 9, 9}})
	bad("gzip of noise", records{count: 1, codec: 1, payload: []byte{0x70, 1, 2, 3}})
	bad("gzip of nothing", records{count: 1, codec: 1, payload: []byte{}})
	bad("snappy in Java's framing", records{count: 2, codec: 2, xerial: true})
	bad("max timestamp negative", records{count: 1, maxTS: func(int64) int64 { return -5 }})
	bad("base timestamp negative", records{count: 1, ts: -7})
	keyless := records{count: 5}.batch()
	send("five without a key on a compacted topic", "compact", -1, part{0, keyless})
	send("message of format 0", "a", -1, part{0, oldMessage(0)})
	send("message of format 1", "a", -1, part{0, oldMessage(1)})
	bad("delete horizon flag", records{count: 1, attrs: 1 << 6})
	bad("unused attribute bits", records{count: 1, attrs: 1 << 10})
	bad("length too short", records{count: 1, spoil: func(b []byte) { binary.BigEndian.PutUint32(b[8:], 10) }})
	bad("length too long", records{count: 1, spoil: func(b []byte) { binary.BigEndian.PutUint32(b[8:], 1000) }})
	bad("length negative", records{count: 1, spoil: func(b []byte) { binary.BigEndian.PutUint32(b[8:], 0xffffffff) }})
	send("cut short", "a", -1, part{0, one[:len(one)-3]})
	send("only half a header", "a", -1, part{0, one[:30]})
	send("garbage after the batch", "a", -1, part{0, append(append([]byte{}, one...), 1, 2, 3)})
	send("empty records", "a", -1, part{0, []byte{}})
	if r.version == r.api.min || r.version == r.api.max { // Kafka never answers, which takes its time
		r.unansweredByKafka("null records", produceRequest(r.name("a"), r.id("a"), -1, part{0, nil}))
	}
}

// produceSequences walks the idempotent producer's rules on a topic of its own.
func produceSequences(r *run, send func(name, topic string, acks int16, parts ...part)) {
	const pid = 4_000_000 // far from any that the node hands out
	step := func(name string, epoch int16, seq int32, count int) {
		d := records{count: count, withPID: true, pid: pid, pepoch: epoch, seq: seq}
		send("sequences: "+name, "seq", -1, part{0, d.batch()})
	}
	step("first starts at 0", 0, 0, 2)
	step("next follows", 0, 2, 1)
	step("duplicate of the last", 0, 2, 1)
	step("duplicate of the first", 0, 0, 2)
	step("duplicate start, other count", 0, 0, 3)
	step("gap", 0, 9, 1)
	step("back", 0, 1, 1)
	for i := range int32(5) {
		step("more", 0, 3+i, 1)
	}
	step("duplicate older than five batches", 0, 0, 2)
	step("new epoch not at 0", 1, 5, 1)
	step("new epoch at 0", 1, 0, 1)
	step("old epoch", 0, 8, 1)
	step("negative sequence", 1, -1, 1)
	step("negative epoch", -1, 1, 1)
	d := records{count: 1, withPID: true, pid: pid + 1, pepoch: 0, seq: 7}
	send("sequences: unknown producer not at 0", "seq", -1, part{0, d.batch()})
	d = records{count: 1, withPID: true, pid: pid + 2, pepoch: 0, seq: 1<<31 - 1}
	send("sequences: at the highest", "seq", -1, part{0, d.batch()})
	d.seq = 0
	send("sequences: wrapped", "seq", -1, part{0, d.batch()})
	b := append(records{count: 1, withPID: true, pid: pid + 3}.batch(), records{count: 1, withPID: true, pid: pid + 3, seq: 1}.batch()...)
	send("sequences: two batches of one producer", "seq", -1, part{0, b})
}

// produceUnanswered plays acks 0: silence is right, so the next answer on the
// connection must be that of another request.
func produceUnanswered(r *run, one []byte) {
	quiet := func(name string, req *kmsg.ProduceRequest) {
		req.SetVersion(r.version)
		r.unanswered(name, req)
	}
	quiet("acks 0", produceRequest(r.name("a"), r.id("a"), 0, part{0, one}))
	quiet("acks 0, bad crc", produceRequest(r.name("a"), r.id("a"), 0, part{0, records{count: 1, spoil: func(b []byte) { b[17]++ }}.batch()}))
	quiet("acks 0, unknown topic", produceRequest(r.name("none"), strangeID, 0, part{0, one}))
	empty := kmsg.NewPtrProduceRequest()
	empty.Acks = 0
	quiet("acks 0, no topics", empty)
}
