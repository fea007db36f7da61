package node

import (
	"runtime"
	"runtime/metrics"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/obs"
	"github.com/ottla/ottla/internal/partition"
)

// shownPartitions bounds the partitions of /metrics/detail: a scrape of more is of no use to anybody.
const shownPartitions = 10_000

// gauge is a family of one series.
func gauge(name, help string, value func() float64) obs.Family {
	return obs.Family{Name: name, Help: help, Kind: obs.GaugeKind, Collect: func(e *obs.Emitter) { e.Value(value()) }}
}

// counter is a family of one series that only grows.
func counter(name, help string, value func() int64) obs.Family {
	return obs.Family{Name: name, Help: help, Kind: obs.CounterKind, Collect: func(e *obs.Emitter) { e.Value(float64(value())) }}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// metrics are the families of /metrics: few, and without labels that clients choose.
func (n *Node) metrics() []obs.Family {
	return append(n.requestMetrics(), append(n.storageMetrics(), n.clusterMetrics()...)...)
}

func (n *Node) requestMetrics() []obs.Family {
	c := &n.counters
	return []obs.Family{
		{Name: "ottla_requests_total", Help: "Requests that came, by API.", Kind: obs.CounterKind, Labels: []string{"api"}, Collect: func(e *obs.Emitter) {
			c.Served(func(key int16, requests int64, _ *obs.Histogram) { e.Value(float64(requests), kmsg.NameForKey(key)) })
		}},
		{Name: "ottla_request_handling_seconds", Help: "Time that handlers took, without what a request waits for.", Kind: obs.HistogramKind, Labels: []string{"api"}, Collect: func(e *obs.Emitter) {
			c.Served(func(key int16, _ int64, handling *obs.Histogram) { e.Histogram(handling, kmsg.NameForKey(key)) })
		}},
		counter("ottla_requests_refused_total", "Requests that could not be understood; their connections were closed.", c.RefusedRequests.Value),
		counter("ottla_records_in_total", "Records that clients appended, retries left out.", c.RecordsIn.Value),
		counter("ottla_batches_in_total", "Batches that clients appended, retries left out.", c.ProducedBatches.Value),
		counter("ottla_bytes_in_total", "Bytes of the batches that clients appended.", c.BytesIn.Value),
		counter("ottla_bytes_out_total", "Bytes of batches in answers to Fetch.", c.BytesOut.Value),
		counter("ottla_produce_errors_total", "Partitions of Produce that were answered by an error.", c.ProducesFailed.Value),
		counter("ottla_fetch_errors_total", "Partitions of Fetch that were answered by an error.", c.FetchesFailed.Value),
		gauge("ottla_connections", "Connections of clients.", func() float64 { now, _, _ := n.admitClients.Count(); return float64(now) }),
		counter("ottla_connections_accepted_total", "Connections of clients that were accepted.", func() int64 { _, accepted, _ := n.admitClients.Count(); return accepted }),
		counter("ottla_connections_refused_total", "Connections that were one too many from their address.", func() int64 { _, _, refused := n.admitClients.Count(); return refused }),
		gauge("ottla_requests_waiting", "Requests that wait for an offset or for their time to pass.", func() float64 { return float64(n.purgatory.Len()) }),
		gauge("ottla_fetch_sessions", "Incremental fetch sessions.", func() float64 { return float64(n.sessions.Len()) }),
	}
}

func (n *Node) storageMetrics() []obs.Family {
	dirs := func(name, help string, value func(partition.DirStatus) float64) obs.Family {
		return obs.Family{Name: name, Help: help, Kind: obs.GaugeKind, Labels: []string{"dir"}, Collect: func(e *obs.Emitter) {
			for _, d := range n.partitions.Dirs() {
				e.Value(value(d), d.Dir.Path)
			}
		}}
	}
	return []obs.Family{
		gauge("ottla_partitions", "Partitions of which this node has a replica.", n.partitionsThat(every)),
		gauge("ottla_partitions_led", "Partitions that this node leads.", n.partitionsThat(n.leads)),
		gauge("ottla_replicas_moving", "Replicas that are being moved to another log directory.", n.partitionsThat(func(p *partition.Partition) bool { _, _, _, ok := p.Moving(); return ok })),
		gauge("ottla_partitions_damaged", "Partitions of which a range can't be read.", n.partitionsThat(func(p *partition.Partition) bool { return len(p.Damage()) > 0 })),
		dirs("ottla_log_directory_online", "1 if the log directory is in use, 0 if it failed.", func(d partition.DirStatus) float64 { return one(d.Err == nil) }),
		dirs("ottla_log_directory_size_bytes", "Size of the file system of the log directory.", func(d partition.DirStatus) float64 { return float64(d.Space.Total) }),
		dirs("ottla_log_directory_free_bytes", "Free space on the file system of the log directory.", func(d partition.DirStatus) float64 { return float64(d.Space.Free) }),
		dirs("ottla_log_directory_log_bytes", "Bytes of the logs in the log directory.", func(d partition.DirStatus) (sum float64) {
			n.partitions.All(d.Dir.ID, func(p *partition.Partition) { sum += float64(p.Size()) })
			return sum
		}),
	}
}

func (n *Node) clusterMetrics() []obs.Family {
	return []obs.Family{
		gauge("ottla_ready", "1 if clients are served.", func() float64 { return one(n.ready()) }),
		gauge("ottla_topics", "Topics of the cluster.", func() float64 { return float64(n.quorum.Image().Topics.Len()) }),
		gauge("ottla_controller_active", "1 if this node is the active controller.", func() float64 { leader, _ := n.quorum.Leader(); return one(leader == n.cfg.ID) }),
		gauge("ottla_metadata_epoch", "Epoch of the metadata quorum's leader.", func() float64 { _, epoch := n.quorum.Leader(); return float64(epoch) }),
		gauge("ottla_metadata_end_offset", "Offset that the next metadata record gets.", func() float64 { return float64(n.quorum.Bounds().LogEndOffset) }),
		gauge("ottla_metadata_committed_offset", "Offset below which metadata is committed.", func() float64 { return float64(n.quorum.Bounds().HighWatermark) }),
		gauge("go_goroutines", "Goroutines.", func() float64 { return float64(runtime.NumGoroutine()) }),
		gauge("go_memory_bytes", "Memory that the runtime has from the system.", func() float64 { return float64(runtimeBytes("/memory/classes/total:bytes")) }),
		gauge("go_heap_bytes", "Memory of objects that are alive or not yet swept.", func() float64 { return float64(runtimeBytes("/memory/classes/heap/objects:bytes")) }),
	}
}

func runtimeBytes(name string) uint64 {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// eachPartition is a family with a series for each partition, up to shownPartitions.
func (n *Node) eachPartition(name, help string, value func(*partition.Partition) float64) obs.Family {
	return obs.Family{Name: name, Help: help, Kind: obs.GaugeKind, Labels: []string{"topic", "partition"}, Collect: func(e *obs.Emitter) {
		left := shownPartitions
		n.partitions.All([16]byte{}, func(p *partition.Partition) {
			if left--; left >= 0 {
				e.Value(value(p), p.ID().Topic, strconv.Itoa(int(p.ID().Partition)))
			}
		})
	}}
}

// partitionsThat counts the partitions of the node that are so.
func (n *Node) partitionsThat(are func(*partition.Partition) bool) func() float64 {
	return func() (sum float64) {
		n.partitions.All([16]byte{}, func(p *partition.Partition) { sum += one(are(p)) })
		return sum
	}
}

func (n *Node) leads(p *partition.Partition) bool { return p.Leadership().Leader == n.cfg.ID }

func every(*partition.Partition) bool { return true }

// partitionMetrics are the families of /metrics/detail.
func (n *Node) partitionMetrics() []obs.Family {
	return []obs.Family{
		n.eachPartition("ottla_partition_log_start_offset", "First offset that can be read.", func(p *partition.Partition) float64 { return float64(p.LogStartOffset()) }),
		n.eachPartition("ottla_partition_log_end_offset", "Offset that the next record gets.", func(p *partition.Partition) float64 { return float64(p.LogEndOffset()) }),
		n.eachPartition("ottla_partition_high_watermark", "Offset up to which consumers read.", func(p *partition.Partition) float64 { return float64(p.HighWatermark()) }),
		n.eachPartition("ottla_partition_last_stable_offset", "Offset up to which consumers of committed records read.", func(p *partition.Partition) float64 { return float64(p.LastStableOffset()) }),
		n.eachPartition("ottla_partition_log_bytes", "Bytes of the log.", func(p *partition.Partition) float64 { return float64(p.Size()) }),
	}
}

// kafkaMetrics are the families of /metrics/kafka: what Apache Kafka's JMX exporter tells under these names, as far as there is such a thing
// on one node.
func (n *Node) kafkaMetrics() []obs.Family {
	c := &n.counters
	asked := func(key int16) func() int64 {
		return func() (sum int64) {
			c.Served(func(k int16, requests int64, _ *obs.Histogram) {
				if k == key {
					sum = requests
				}
			})
			return sum
		}
	}
	offline := func() float64 { return float64(len(n.partitions.Failed())) }
	return []obs.Family{
		counter("kafka_server_brokertopicmetrics_messagesin_total", "As ottla_records_in_total.", c.RecordsIn.Value),
		counter("kafka_server_brokertopicmetrics_bytesin_total", "As ottla_bytes_in_total.", c.BytesIn.Value),
		counter("kafka_server_brokertopicmetrics_bytesout_total", "As ottla_bytes_out_total.", c.BytesOut.Value),
		counter("kafka_server_brokertopicmetrics_totalproducerequests_total", "Produce requests.", asked(0)),
		counter("kafka_server_brokertopicmetrics_totalfetchrequests_total", "Fetch requests.", asked(1)),
		counter("kafka_server_brokertopicmetrics_failedproducerequests_total", "As ottla_produce_errors_total.", c.ProducesFailed.Value),
		counter("kafka_server_brokertopicmetrics_failedfetchrequests_total", "As ottla_fetch_errors_total.", c.FetchesFailed.Value),
		gauge("kafka_server_replicamanager_leadercount", "As ottla_partitions_led.", n.partitionsThat(n.leads)),
		gauge("kafka_server_replicamanager_partitioncount", "As ottla_partitions.", n.partitionsThat(every)),
		gauge("kafka_log_logmanager_offlinelogdirectorycount", "Log directories that failed.", offline),
		gauge("kafka_controller_kafkacontroller_activecontrollercount", "As ottla_controller_active.", func() float64 { leader, _ := n.quorum.Leader(); return one(leader == n.cfg.ID) }),
		gauge("kafka_server_raftmetrics_current_epoch", "As ottla_metadata_epoch.", func() float64 { _, epoch := n.quorum.Leader(); return float64(epoch) }),
		gauge("kafka_server_raftmetrics_log_end_offset", "As ottla_metadata_end_offset.", func() float64 { return float64(n.quorum.Bounds().LogEndOffset) }),
		gauge("kafka_server_raftmetrics_high_watermark", "As ottla_metadata_committed_offset.", func() float64 { return float64(n.quorum.Bounds().HighWatermark) }),
		{Name: "kafka_network_requestmetrics_requests_total", Help: "As ottla_requests_total.", Kind: obs.CounterKind, Labels: []string{"request"}, Collect: func(e *obs.Emitter) {
			c.Served(func(key int16, requests int64, _ *obs.Histogram) { e.Value(float64(requests), kmsg.NameForKey(key)) })
		}},
		n.eachPartition("kafka_log_log_size", "As ottla_partition_log_bytes.", func(p *partition.Partition) float64 { return float64(p.Size()) }),
	}
}
