package contract

import (
	"bytes"
	"errors"
	"slices"
)

// keep holds old records: the timestamps of the data set lie in the past, and retention must not take them.
var keep = map[string]string{"retention.ms": "-1"}

const (
	unknownTopic       = 3
	topicAlreadyExists = 36
)

// full is every step. The order matters: the later steps work on the topics of the earlier ones.
func (s *scenario) full() {
	s.topics()
	s.produce()
	s.consume()
	s.seek()
	s.configs()
	s.shrink()
}

func (s *scenario) topics() {
	s.step("cluster", func() (any, error) {
		n, err := s.c.Brokers()
		return map[string]any{"brokers": n}, err
	})
	wanted := append([]string{"main", "acks0", "acks1", "idempotent", "recompressed"}, Codecs...)
	slices.Sort(wanted)
	s.step("create", func() (any, error) {
		for _, t := range wanted {
			configs := keep
			if t == "recompressed" {
				configs = map[string]string{"retention.ms": "-1", "compression.type": "zstd"}
			}
			err := s.c.CreateTopic(s.topic(t), 3, s.env.replicas, configs)
			if err == nil {
				continue
			}
			if code, _ := s.code(err); !s.env.hurt || code != topicAlreadyExists { // the answer to an earlier try may have been lost
				return nil, err
			}
		}
		return len(wanted), nil
	})
	s.step("create/duplicate", func() (any, error) { return s.refused(s.c.CreateTopic(s.topic("main"), 3, s.env.replicas, keep)) })
	s.step("create/bad-name", func() (any, error) { return s.refused(s.c.CreateTopic("bad name!", 3, s.env.replicas, keep)) })
	s.step("create/bad-replication", func() (any, error) { return s.refused(s.c.CreateTopic(s.topic("rf"), 3, s.env.replicas+2, keep)) })
	s.step("create/bad-config", func() (any, error) {
		return s.refused(s.c.CreateTopic(s.topic("cfg"), 3, s.env.replicas, map[string]string{"no.such.key": "1"}))
	})
	s.step("list", func() (any, error) {
		return eventually(func(got any) bool { return len(got.([]string)) == len(wanted) }, func() (any, error) { return s.mine() })
	})
	s.step("describe", func() (any, error) {
		return eventually(func(got any) bool { return len(got.([]Partition)) == 3 }, func() (any, error) {
			got, err := s.c.Describe(s.topic("main"))
			slices.SortFunc(got, func(a, b Partition) int { return int(a.ID - b.ID) })
			return got, err
		})
	})
}

func (s *scenario) produce() {
	send := func(step, suffix string, how How) {
		s.step(step, func() (any, error) {
			if s.env.hurt && how.Acks == -1 {
				how.Idempotent = true // what is sent again must not come twice
			}
			return Sum(s.records), s.c.Produce(s.topic(suffix), s.records, how)
		})
	}
	for _, codec := range Codecs {
		send("produce/"+codec, codec, How{Codec: codec, Acks: -1})
	}
	send("produce/acks0", "acks0", How{Codec: "none", Acks: 0})
	send("produce/acks1", "acks1", How{Codec: "none", Acks: 1})
	send("produce/idempotent", "idempotent", How{Codec: "none", Acks: -1, Idempotent: true})
	send("produce/recompressed", "recompressed", How{Codec: "gzip", Acks: -1}) // the topic says zstd
	send("produce/main", "main", How{Codec: "none", Acks: -1})
	s.step("produce/too-large", func() (any, error) {
		huge := []Record{{Value: bytes.Repeat([]byte("x"), 2<<20), Time: s.records[0].Time}}
		return s.refused(s.c.Produce(s.topic("main"), huge, How{Codec: "none", Acks: -1}))
	})
}

func (s *scenario) consume() {
	for _, t := range append([]string{"acks1", "idempotent", "recompressed", "main"}, Codecs...) {
		s.step("consume/"+t, func() (any, error) { return s.digest(s.topic(t)) })
	}
	s.step("consume/acks0", func() (any, error) {
		return eventually(func(got any) bool { return got.(Digest).Count == len(s.records) },
			func() (any, error) { return s.digest(s.topic("acks0")) })
	})
}

func (s *scenario) seek() {
	main := s.topic("main")
	s.step("offsets", func() (any, error) {
		var all [][2]int64
		for p := int32(0); p < 3; p++ {
			start, end, err := s.c.Bounds(main, p)
			if err != nil {
				return nil, err
			}
			all = append(all, [2]int64{start, end})
		}
		return all, nil
	})
	s.step("seek/offset", func() (any, error) {
		records, err := s.c.Consume(main, 1, 5, 9)
		if err != nil {
			return nil, err
		}
		return map[string]any{"first": records[0].Offset, "digest": Sum(records)}, nil
	})
	s.step("seek/time", func() (any, error) {
		// The times of partition 1: before all, of one record, between two, after all.
		var times []int64
		for _, r := range s.records {
			if r.Partition == 1 {
				times = append(times, r.Time)
			}
		}
		var found []int64
		for _, ms := range []int64{times[0] - 1000, times[7], times[7] + 1, times[len(times)-1] + 1000} {
			o, err := s.c.OffsetAt(main, 1, ms)
			if err != nil {
				return nil, err
			}
			found = append(found, o)
		}
		return found, nil
	})
	s.step("consume/out-of-range", func() (any, error) {
		_, err := s.c.Consume(main, 0, 1_000_000, 1_000_001)
		return s.refused(err)
	})
	s.step("consume/unknown-topic", func() (any, error) {
		_, _, err := s.c.Bounds(s.topic("nowhere"), 0)
		return s.refused(err)
	})
}

func (s *scenario) configs() {
	main := s.topic("main")
	describe := func(key string) func() (any, error) {
		return func() (any, error) {
			value, source, err := s.c.Config(main, key)
			return map[string]any{"value": value, "source": source}, err
		}
	}
	s.step("configs/set-at-creation", describe("retention.ms"))
	s.step("configs/default", describe("segment.bytes"))
	s.step("configs/alter", func() (any, error) {
		if err := s.c.SetConfig(main, "retention.bytes", "123456789"); err != nil {
			return nil, err
		}
		return eventually(func(got any) bool { return got.(map[string]any)["value"] == "123456789" }, describe("retention.bytes"))
	})
	s.step("configs/alter-bad-value", func() (any, error) { return s.refused(s.c.SetConfig(main, "segment.bytes", "-5")) })
}

// shrink takes things away; nothing but the topics of the codecs is needed after it.
func (s *scenario) shrink() {
	main := s.topic("main")
	s.step("partitions/create", func() (any, error) {
		if err := s.c.CreatePartitions(main, 5); err != nil {
			return nil, err
		}
		return eventually(func(got any) bool { return got.(int) == 5 }, func() (any, error) {
			got, err := s.c.Describe(main)
			return len(got), err
		})
	})
	s.step("partitions/fewer", func() (any, error) { return s.refused(s.c.CreatePartitions(main, 2)) })
	s.step("records/delete", func() (any, error) {
		low, err := s.c.DeleteRecords(main, 0, 7)
		return map[string]any{"low": low}, err
	})
	s.step("records/after", func() (any, error) {
		start, _, err := s.c.Bounds(main, 0)
		if err != nil {
			return nil, err
		}
		records, err := s.all(main, 0)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			return nil, errors.New("nothing left")
		}
		return map[string]any{"start": start, "first": records[0].Offset, "digest": Sum(records)}, nil
	})
	s.step("records/too-far", func() (any, error) {
		_, err := s.c.DeleteRecords(main, 0, 1_000_000)
		return s.refused(err)
	})
	s.step("delete", func() (any, error) {
		err := s.c.DeleteTopic(main)
		if code, _ := s.code(err); err != nil && (!s.env.hurt || code != unknownTopic) { // the answer to an earlier try may have been lost
			return nil, err
		}
		return eventually(func(got any) bool { return !slices.Contains(got.([]string), "main") },
			func() (any, error) { return s.mine() })
	})
	s.step("delete/unknown", func() (any, error) { return s.refused(s.c.DeleteTopic(s.topic("never"))) })
}
