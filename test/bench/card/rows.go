package card

// The workload W of several rows: one topic of 12 partitions, records of 1 KiB that look like JSON, no compression, batches
// of 256 KiB at the most, linger 5 ms, 6 GiB.

func one(v float64) [2]float64 { return [2]float64{v, v} }

// Metrics that several series share.
func cpuPerGiB(m Metric) Metric { m.Name = "CPU-s/GiB"; return m }
func megabytes(m Metric) Metric { m.Name, m.Higher, m.Rate = "MB/s", true, true; return m }
func perSecond(unit string, m Metric) Metric {
	m.Name, m.Higher, m.Rate = unit+"/s", true, true
	return m
}

// Rows are all rows of the scorecard, by number. Goals are those of the first milestone; CardGoal and CardMost are where
// the scorecard wants to arrive.
var Rows = []Row{
	{Number: 1, Name: "produce", Aliases: []string{"produce256"}, Pinned: true, What: "Produce, RF1, acks=1, W, server on one core", Series: []Series{
		{Name: "replayer", Metrics: []Metric{
			cpuPerGiB(Metric{Goal: 0.7, CardGoal: 0.6, Kafka: [2]float64{0.41, 0.45}, Floor: 0.255}),
			megabytes(Metric{Goal: 1.3, CardGoal: 1.5, Kafka: [2]float64{1700, 1800}}),
		}},
		{Name: "franz-go", Cross: true, Metrics: []Metric{
			cpuPerGiB(Metric{Goal: 0.7, CardGoal: 0.6, Kafka: [2]float64{0.41, 0.45}, Floor: 0.255}),
			megabytes(Metric{Goal: 1.15}),
		}},
		{Name: "ProducerPerformance", Cross: true, Metrics: []Metric{cpuPerGiB(Metric{CardGoal: 0.6}), megabytes(Metric{CardGoal: 1.0})}},
	}},
	{Number: 2, Name: "produce-rf3", What: "Produce, RF3, acks=all, min.insync.replicas=2, W, three brokers", Series: []Series{
		{Name: "replayer", Metrics: []Metric{
			cpuPerGiB(Metric{CardGoal: 0.45, Most: 1.8, Kafka: [2]float64{2.3, 2.7}}),
			megabytes(Metric{CardGoal: 1.5, Kafka: one(560)}),
		}},
		{Name: "franz-go", Cross: true, Metrics: []Metric{cpuPerGiB(Metric{CardGoal: 0.45, Most: 1.8, Kafka: [2]float64{2.3, 2.7}}), megabytes(Metric{CardGoal: 1.5})}},
	}},
	{Number: 3, Name: "small", Aliases: []string{"produce16"}, Pinned: true, What: "Records of 100 bytes, 12 partitions, acks=1, server on one core", Series: []Series{
		{Name: "batches of 64 KiB", Metrics: []Metric{
			cpuPerGiB(Metric{Goal: 0.5, CardGoal: 0.45, Kafka: [2]float64{0.88, 0.96}, Floor: 0.27}),
			perSecond("records", Metric{CardGoal: 1.8, CardMost: 8e6, Kafka: one(4e6)}),
		}},
		{Name: "records of 1 KiB in batches of 16 KiB", Metrics: []Metric{cpuPerGiB(Metric{CardGoal: 0.6, Kafka: one(0.78), Floor: 0.41}), megabytes(Metric{})}},
		{Name: "librdkafka", Cross: true, Metrics: []Metric{cpuPerGiB(Metric{CardGoal: 0.45}), perSecond("records", Metric{})}},
	}},
	{Number: 4, Name: "one", Pinned: true, What: "One record of 100 bytes a request, 200 connections, one in flight on each, acks=1", Series: []Series{
		{Name: "replayer", Metrics: []Metric{
			{Name: "CPU-us/request", Goal: 0.5, CardGoal: 0.45, Kafka: [2]float64{13, 15}, Floor: 5.0},
			perSecond("requests", Metric{Goal: 1.5, CardGoal: 1.8, Kafka: one(65_000)}),
		}},
		{Name: "franz-go, one record at a time", Cross: true, Metrics: []Metric{{Name: "CPU-us/request"}, perSecond("requests", Metric{})}},
	}},
	{Number: 5, Name: "latency", Pinned: true, What: "End to end, RF1, acks=1, no linger, open loop of 5,000 records of 1 KiB a second, 4 producers and 4 consumers", Series: []Series{
		{Name: "warm", Metrics: []Metric{
			{Name: "p50 ms", Goal: 1.0, CardGoal: 0.8, Kafka: [2]float64{0.10, 0.13}, Floor: 0.07},
			{Name: "p99 ms", Tail: true, Goal: 0.6, CardGoal: 0.5, Kafka: [2]float64{1.5, 1.8}, Floor: 0.7},
			{Name: "p99.9 ms", Tail: true, CardGoal: 0.5, Kafka: [2]float64{7.6, 8.5}},
			{Name: "% of a core", Goal: 0.5, CardGoal: 0.4, Kafka: [2]float64{34, 53}, Floor: 24},
		}},
		{Name: "first 15 s after the start", Long: true, Metrics: []Metric{
			{Name: "p50 ms", Kafka: one(0.29)},
			{Name: "p99 ms", Tail: true, Goal: 0.15, CardGoal: 0.1, Kafka: one(32)},
			{Name: "p99.9 ms", Tail: true, Kafka: one(86)},
		}},
	}},
	{Number: 6, Name: "latency-rf3", What: "End to end, RF3, acks=all, no linger, open loop of 2,000 records of 1 KiB a second, 4 producers and 4 consumers", Series: []Series{
		{Name: "warm", Metrics: []Metric{
			{Name: "p50 ms", CardGoal: 0.6, Most: 0.4, Kafka: [2]float64{0.26, 0.47}},
			{Name: "p99 ms", Tail: true, CardGoal: 0.25, Most: 3, CardMost: 1.5, Kafka: [2]float64{3, 10}},
			{Name: "p99.9 ms", Tail: true, CardGoal: 0.3, CardMost: 5, Kafka: [2]float64{16, 20}},
			{Name: "% of a core", CardGoal: 0.3, Most: 40, Kafka: [2]float64{70, 104}},
		}},
		{Name: "first 15 s after the start", Long: true, Metrics: []Metric{
			{Name: "p50 ms", Most: 0.4, Kafka: one(100)},
			{Name: "p99 ms", Tail: true, CardGoal: 0.02, Most: 3, Kafka: one(426)},
			{Name: "p99.9 ms", Tail: true, Kafka: one(488)},
			{Name: "% of a core", Most: 40},
		}},
	}},
	{Number: 7, Name: "highest-rate", What: "The highest rate of row 6's records that keeps p99 within 5 ms, in steps of a fifth", Series: []Series{
		{Name: "probe", Long: true, Metrics: []Metric{perSecond("records", Metric{CardGoal: 3})}},
	}},
	{Number: 8, Name: "fetch", Pinned: true, What: "Consume, hot, W read three times, one consumer", Series: []Series{
		{Name: "raw fetcher", Metrics: []Metric{
			cpuPerGiB(Metric{Goal: 1.0, CardGoal: 1.0, Kafka: [2]float64{0.075, 0.08}}),
			megabytes(Metric{Goal: 1.0, CardGoal: 1.1, Kafka: [2]float64{2900, 3200}}),
		}},
		{Name: "franz-go", Cross: true, Metrics: []Metric{cpuPerGiB(Metric{Goal: 1.0, CardGoal: 1.0}), megabytes(Metric{Goal: 1.0})}},
		{Name: "ConsumerPerformance", Cross: true, Metrics: []Metric{cpuPerGiB(Metric{CardGoal: 1.0}), megabytes(Metric{CardGoal: 1.0})}},
	}},
	{Number: 9, Name: "cold", Pinned: true, What: "Consume, cold: W, its files out of the page cache first", Series: []Series{
		{Name: "raw fetcher", Metrics: []Metric{cpuPerGiB(Metric{}), megabytes(Metric{Goal: 1.1, CardGoal: 1.3})}},
	}},
	{Number: 10, Name: "cliff", Pinned: true, What: "A memory group of 1.6 GiB (JVM heap 768 MiB inside), 4 GiB of old data; 10,000 records of 1 KiB a second with readers at the tail, " +
		"with and without a reader of the old data", Series: []Series{
		{Name: "cliff", Metrics: []Metric{
			{Name: "p99 ms alone", Tail: true, Kafka: [2]float64{2.0, 2.5}},
			{Name: "p99.9 ms alone", Tail: true, Kafka: [2]float64{9, 16}},
			{Name: "p99 ms beside", Tail: true, CardGoal: 0.05, Kafka: [2]float64{11, 22}},
			{Name: "p99.9 ms beside", Tail: true, Kafka: [2]float64{30, 117}},
			{Name: "p99 beside/alone", Most: 1.5, CardMost: 1.3},
			{Name: "cold MB/s", Higher: true, Kafka: [2]float64{1050, 1100}},
		}},
		{Name: "group of 1 GiB", Metrics: []Metric{
			{Name: "p99 ms alone", Tail: true}, {Name: "p99 ms beside", Tail: true, CardGoal: 0.05},
			{Name: "p99 beside/alone", Most: 1.5, CardMost: 1.3}, {Name: "cold MB/s", Higher: true},
		}},
	}},
	{Number: 11, Name: "cpu", Pinned: true, What: "CPU of the server: produce (W), fetch hot", Series: []Series{
		{Name: "produce", Same: "1/replayer", Metrics: []Metric{cpuPerGiB(Metric{Goal: 0.7, CardGoal: 0.6})}},
		{Name: "fetch hot", Same: "8/raw fetcher", Metrics: []Metric{cpuPerGiB(Metric{Goal: 1.0, CardGoal: 1.0})}},
	}},
	{Number: 12, Name: "memory", Pinned: true, What: "Resident memory: idle and empty; under row 1; with 10,000 idle connections more", Series: []Series{
		{Name: "idle", Metrics: []Metric{{Name: "MiB", Size: true, Goal: 0.08, CardGoal: 0.05, CardMost: 20, Kafka: one(385)}}},
		{Name: "under row 1", Metrics: []Metric{{Name: "MiB", Size: true, Goal: 0.2, CardGoal: 0.15, CardMost: 128, Kafka: [2]float64{650, 1250}}}},
		{Name: "10,000 idle connections", Metrics: []Metric{{Name: "MiB", Size: true, CardGoal: 0.1}, {Name: "MiB more", Size: true, CardMost: 60}}},
	}},
	{Number: 13, Name: "start", Pinned: true, What: "Start of the process to the first acknowledged produce", Series: []Series{
		{Name: "existing topic (12 partitions, W)", Metrics: []Metric{{Name: "ms", Goal: 0.05, CardGoal: 0.03, CardMost: 50, Kafka: one(1600)}}},
		{Name: "empty directory, format included", Metrics: []Metric{{Name: "ms", Goal: 0.05, CardGoal: 0.03, CardMost: 50, Kafka: one(2500)}}},
	}},
	{Number: 14, Name: "recovery", Aliases: []string{"crash"}, What: "kill -9 under row 1 with 10 GiB in 12 partitions; restart until all partitions acknowledge, all that was acknowledged there", Series: []Series{
		{Name: "kill -9", Metrics: []Metric{{Name: "s", CardGoal: 0.05, Most: 1, CardMost: 0.5, Kafka: one(12.6)}}},
		{Name: "clean restart", Metrics: []Metric{{Name: "s", CardGoal: 0.05, Kafka: one(3.9)}}},
	}},
	{Number: 15, Name: "partitions", Aliases: []string{"topics"}, What: "Many partitions on one node, RF1", Series: []Series{
		{Name: "6,000 partitions", Metrics: []Metric{
			{Name: "create s", Kafka: one(5.2)},
			{Name: "MiB", Size: true, Goal: 0.05, CardGoal: 0.05, Kafka: one(1145)},
			{Name: "idle % of a core", Kafka: one(3)},
			{Name: "restart s", Goal: 0.05, CardGoal: 0.05, Kafka: one(12.3)},
			{Name: "restart after kill -9 s", Goal: 0.05, CardGoal: 0.05, Kafka: one(23.9)},
		}},
		{Name: "100,000 partitions", Alone: true, Metrics: []Metric{
			{Name: "create s", CardMost: 30}, {Name: "MiB", Size: true, Most: 400, CardMost: 250}, {Name: "restart s", Most: 4, CardMost: 2},
			{Name: "p99 ms", Tail: true}, {Name: "p99 ms with 100 partitions", Tail: true},
		}},
	}},
	{Number: 16, Name: "failover", What: "Longest gap in acknowledged writes of any of 60 partitions, three brokers, RF3, acks=all, 6,000 records of 1 KiB a second; the median and the longest of the faults of a run", Series: []Series{
		{Name: "kill -9 of a broker", Metrics: []Metric{
			{Name: "gap ms", CardGoal: 0.03, Most: 500, CardMost: 300, Kafka: one(9900)}, {Name: "longest gap ms", Most: 1500, Kafka: one(10_300)}}},
		{Name: "kill -9 of the active controller", Metrics: []Metric{
			{Name: "gap ms", CardGoal: 0.03, Most: 2000, CardMost: 500, Kafka: one(11_100)}, {Name: "longest gap ms", Most: 2000, Kafka: one(15_900)}}},
		{Name: "clean stop", Metrics: []Metric{
			{Name: "gap ms", CardGoal: 0.2, Most: 150, CardMost: 100, Kafka: one(580)}, {Name: "longest gap ms", Kafka: one(700)}}},
		{Name: "kill -9 of a follower", Metrics: []Metric{{Name: "gap ms", Most: 1000}, {Name: "longest gap ms", Most: 1000}}},
	}},
	{Number: 17, Name: "rebalance", Aliases: []string{"commits", "groups", "join", "join848"}, What: "500 members, 1,000 partitions, no initial delay", Series: []Series{
		{Name: "classic, all join", Metrics: []Metric{{Name: "s", Goal: 0.5, CardGoal: 0.3, CardMost: 0.25, Kafka: [2]float64{2.4, 4.6}},
			{Name: "CPU-s", CardGoal: 0.15, Kafka: [2]float64{1.4, 3.7}}}},
		// How long a leave takes is the heartbeat of the others: no server can do anything about it.
		{Name: "classic, one leaves", Metrics: []Metric{{Name: "s", Kafka: one(2.5)}}},
		{Name: "KIP-848, all join", Metrics: []Metric{{Name: "s", Goal: 0.5, CardGoal: 0.3, CardMost: 5.1}, {Name: "CPU-s", CardGoal: 0.15}}},
		{Name: "KIP-848, one leaves", Metrics: []Metric{{Name: "s", CardMost: 5.1}}},
		{Name: "commits of one offset, 200 groups", Metrics: []Metric{{Name: "CPU-us/commit"}, perSecond("commits", Metric{})}},
		{Name: "1,000 classic groups of one member at rest", Metrics: []Metric{{Name: "MiB more", Size: true}, {Name: "% of a core"}}},
	}},
	{Number: 18, Name: "compact", Pinned: true, What: "First cleaning of a log of 3.2 M records, a million random keys, values of 190 bytes, lz4", Series: []Series{
		{Name: "compaction", Metrics: []Metric{
			{Name: "M records/CPU-s", Higher: true, Goal: 2, CardGoal: 2.5, CardMost: 3, Kafka: one(1.2)},
			{Name: "MiB extra", Size: true, CardMost: 64}, {Name: "s"},
		}},
	}},
	{Number: 19, Name: "transactions", What: "Transactions a second", Cannot: "transactions are not built yet"},
	{Number: 20, Name: "durable", What: "flush.messages=1: 100 connections, one record of 1 KiB a request, one in flight on each", Series: []Series{
		{Name: "replayer", Metrics: []Metric{
			perSecond("acks", Metric{Goal: 3, CardGoal: 10, Kafka: one(20_000)}),
			{Name: "CPU-us/ack", Kafka: one(50)}, {Name: "p99 ms"}, {Name: "p99 in fdatasyncs", CardMost: 3},
		}},
	}},
	{Number: 21, Name: "idle", What: "CPU of an idle node with 1,000 partitions and no clients, and of three nodes", Series: []Series{
		{Name: "idle", Metrics: []Metric{{Name: "% of a core", Goal: 0.15, CardGoal: 0.1, CardMost: 0.2, Kafka: one(1.7)}}},
		{Name: "three empty nodes", Metrics: []Metric{{Name: "% of a core", Most: 1, Kafka: one(5.9)}, {Name: "MiB", Size: true, Most: 150, Kafka: one(1150)}}},
		{Name: "three nodes, 1,000 partitions, RF3", Metrics: []Metric{{Name: "% of a core a node", CardGoal: 0.1, Most: 1, CardMost: 0.2}}},
	}},
	{Number: 22, Name: "endurance", What: "Row 7 for an hour", Cannot: "a load that goes on for an hour beside retention and compaction is not built yet"},
	{Number: 23, Name: "tls", What: "Rows 1 and 8 over TLS 1.3", Cannot: "TLS is not built yet"},
	{Number: 24, Name: "compressed", What: "Produce, W, compressed; CPU for each uncompressed GiB", Series: []Series{
		{Name: "lz4", Metrics: []Metric{cpuPerGiB(Metric{Goal: 1.1, CardGoal: 1.0, Kafka: [2]float64{0.44, 0.53}}), megabytes(Metric{})}},
		{Name: "zstd", Metrics: []Metric{cpuPerGiB(Metric{Goal: 1.1, CardGoal: 1.0, Kafka: [2]float64{0.84, 0.88}}), megabytes(Metric{})}},
		{Name: "snappy", Metrics: []Metric{cpuPerGiB(Metric{Goal: 1.1, CardGoal: 1.0, Kafka: [2]float64{0.91, 0.98}}), megabytes(Metric{})}},
		{Name: "lz4, header check", Metrics: []Metric{cpuPerGiB(Metric{Goal: 0.2, CardGoal: 0.15})}},
		{Name: "zstd, header check", Metrics: []Metric{cpuPerGiB(Metric{Goal: 0.2, CardGoal: 0.15})}},
		{Name: "snappy, header check", Metrics: []Metric{cpuPerGiB(Metric{Goal: 0.2, CardGoal: 0.15})}},
	}},
}
