package script

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// logs plays what takes more than one segment, another codec or another default: at the newest versions only.
func logs(r *run) {
	logSegments(r)
	logIndexes(r)
	logCodecs(r)
	logAppendTimes(r)
	logMinISR(r)
	logDefaults(r)
}

// read plays a fetch of one partition outside any session.
func (r *run) read(name, short string, n int32, offset int64, maxBytes int32) {
	req := fetchRequest(r, wanted{short, n, offset, func(p *kmsg.FetchRequestTopicPartition) { p.PartitionMaxBytes = maxBytes }})
	req.MaxBytes = 50 << 20
	r.at(broker, 12, name, req)
}

func (r *run) offsetAt(name, short string, timestamp int64) {
	r.at(broker, 11, name, listOffsetsRequest(r.name(short), 0, timestamp))
}

// logSegments has a log of five segments, a batch in each.
func logSegments(r *run) {
	r.make(newTopic(r.name("s"), 1, "segment.bytes", "1048576"))
	big := strings.Repeat("0123456789abcdef", 40_000)
	for i := range int64(5) {
		r.produce("s", records{count: 1, value: big, ts: epochTime + i*1000}.batch())
	}
	r.read("segments: from the start", "s", 0, 0, 50<<20)
	r.read("segments: within the second", "s", 0, 1, 50<<20)
	r.read("segments: from the last", "s", 0, 4, 50<<20)
	r.read("segments: at the end", "s", 0, 5, 50<<20)
	r.read("segments: less than a batch", "s", 0, 2, 1000)
	r.read("segments: one batch and a bit", "s", 0, 2, 700_000)
	for _, ts := range []int64{0, 999, 1000, 2500, 4000, 4001} {
		r.offsetAt("segments: by time", "s", epochTime+ts)
	}
	r.offsetAt("segments: max timestamp", "s", -3)
	r.at(broker, 4, "segments: size", describeLogDirsRequest(r.name("s"), 0))
	r.at(broker, 2, "segments: delete records", deleteRecordsRequest(r.name("s"), 0, 2))
	r.offsetAt("segments: earliest then", "s", -2)
	r.offsetAt("segments: earliest local then", "s", -4)
	r.offsetAt("segments: by time then", "s", epochTime)
	r.read("segments: below the start then", "s", 0, 1, 50<<20)
	r.read("segments: at the start then", "s", 0, 2, 50<<20)
	r.at(broker, 2, "segments: delete all records", deleteRecordsRequest(r.name("s"), 0, -1))
	r.offsetAt("segments: earliest at last", "s", -2)
	r.offsetAt("segments: by time at last", "s", epochTime)
	r.produce("s", records{count: 2, ts: epochTime + 9000}.batch())
	r.read("segments: goes on", "s", 0, 5, 50<<20)
}

// logIndexes has many small batches with an index entry for each.
func logIndexes(r *run) {
	r.make(newTopic(r.name("i"), 1, "index.interval.bytes", "1"))
	for i := range int64(60) {
		ts := epochTime + i*10
		if i%7 == 3 {
			ts -= 100 // some are late
		}
		r.produce("i", records{count: 2, ts: ts}.batch())
	}
	for _, at := range []int64{0, 1, 59, 60, 118, 119} {
		r.read("indexes: one batch", "i", 0, at, 80)
	}
	for ts := int64(-110); ts < 620; ts += 73 {
		r.offsetAt("indexes: by time", "i", epochTime+ts)
	}
	r.offsetAt("indexes: max timestamp", "i", -3)
}

// logCodecs has topics of every compression.type.
func logCodecs(r *run) {
	var ts []kmsg.CreateTopicsRequestTopic
	codecs := []string{"uncompressed", "gzip", "snappy", "lz4", "zstd", "producer"}
	for _, c := range codecs {
		ts = append(ts, newTopic(r.name(c), 1, "compression.type", c))
	}
	r.make(ts...)
	for _, c := range codecs {
		for codec := range int8(5) {
			d := records{count: 3, codec: codec, key: "k", headers: 1, withPID: true, pid: 7_000_000, seq: 3 * int32(codec)}
			r.at(broker, 9, c+" takes", produceRequest(r.name(c), r.id(c), -1, part{0, d.batch()}))
		}
		r.contents(c+" holds", c, 0)
	}
}

// logAppendTimes has topics that stamp what they get.
func logAppendTimes(r *run) {
	r.make(newTopic(r.name("t"), 1, "message.timestamp.type", "LogAppendTime"),
		newTopic(r.name("tz"), 1, "message.timestamp.type", "LogAppendTime", "compression.type", "zstd"))
	for _, short := range []string{"t", "tz"} {
		r.at(broker, 9, "append time: old", produceRequest(r.name(short), r.id(short), -1, part{0, records{count: 3}.batch()}))
		r.at(broker, 9, "append time: gzip", produceRequest(r.name(short), r.id(short), -1, part{0, records{count: 3, codec: 1}.batch()}))
		r.at(broker, 9, "append time: far ahead", produceRequest(r.name(short), r.id(short), -1, part{0, records{count: 1, ts: 9_000_000_000_000}.batch()}))
		r.settle() // so that the last is the youngest
		r.at(broker, 9, "append time: none", produceRequest(r.name(short), r.id(short), -1, part{0, records{count: 1, ts: -1}.batch()}))
		r.contents("append time: "+short+" holds", short, 0)
		r.offsetAt("append time: by time", short, epochTime)
		r.offsetAt("append time: max", short, -3)
	}
}

// logMinISR asks for more in-sync replicas than there are.
func logMinISR(r *run) {
	r.make(newTopic(r.name("m"), 1, "min.insync.replicas", "2"))
	write := func(name string, acks int16) {
		r.at(broker, 9, "min isr: "+name, produceRequest(r.name("m"), r.id("m"), acks, part{0, records{count: 1}.batch()}))
	}
	write("acks all", -1)
	write("acks 1", 1)
	r.read("min isr: read", "m", 0, 0, 1<<20)
	r.offsetAt("min isr: latest", "m", -1)
	r.at(broker, 2, "min isr: delete records", deleteRecordsRequest(r.name("m"), 0, -1))
	r.at(broker, 1, "min isr: lower it", incrementalAlterConfigsRequest(typeTopic, r.name("m"), change{opSet, "min.insync.replicas", ptr("1")}))
	r.barrier()
	write("acks all then", -1)
	r.read("min isr: read then", "m", 0, 0, 1<<20)
	r.offsetAt("min isr: latest then", "m", -1)
}

// logDefaults changes defaults of all brokers and looks what topics make of them.
func logDefaults(r *run) {
	r.make(newTopic(r.name("d"), 1, "retention.bytes", "5"))
	all := func(name, key string, value *string) {
		op := opSet
		if value == nil {
			op = opDelete
		}
		r.at(broker, 1, "defaults: "+name, incrementalAlterConfigsRequest(typeBroker, "", change{op, key, value}))
		r.barrier()
	}
	described := func(name string, keys ...string) {
		req := describeConfigsRequest(typeTopic, r.name("d"), keys...)
		req.IncludeSynonyms = true
		r.at(broker, 4, "defaults: "+name, req)
	}
	all("retention", "log.retention.ms", ptr("123456789"))
	described("described", "retention.ms", "retention.bytes")
	r.at(broker, 7, "defaults: new topic", createTopicsRequest(newTopic(r.name("dn"), 1)))
	all("retention back", "log.retention.ms", nil)
	described("described again", "retention.ms", "retention.bytes")
	all("message size", "message.max.bytes", ptr("150"))
	d := records{count: 20}.batch()
	r.at(broker, 9, "defaults: too large", produceRequest(r.name("d"), r.id("d"), -1, part{0, d}))
	all("message size back", "message.max.bytes", nil)
	r.at(broker, 9, "defaults: not too large", produceRequest(r.name("d"), r.id("d"), -1, part{0, d}))
	all("min isr", "min.insync.replicas", ptr("2"))
	described("described with min isr", "min.insync.replicas")
	r.at(broker, 9, "defaults: too few replicas", produceRequest(r.name("d"), r.id("d"), -1, part{0, d}))
	all("min isr back", "min.insync.replicas", ptr("1"))
	r.at(broker, 9, "defaults: enough replicas", produceRequest(r.name("d"), r.id("d"), -1, part{0, d}))
	all("min isr taken away", "min.insync.replicas", nil)
	described("described without min isr", "min.insync.replicas")
}
