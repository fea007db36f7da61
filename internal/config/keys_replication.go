package config

// The values of replica.selector.class, which stands for the first where it is not set.
const (
	leaderSelector = "org.apache.kafka.common.replica.LeaderSelector"
	rackSelector   = "org.apache.kafka.common.replica.RackAwareReplicaSelector"
)

// replicationKeys are the broker keys of replication.
var replicationKeys = []brokerRow{
	{"replica.lag.time.max.ms", Long, "30000", nil, High, ReadOnly, Honoured, "How long a follower may lag before it leaves the in-sync set."},
	{"replica.fetch.wait.max.ms", Int, "500", nil, High, ReadOnly, Honoured, "Longest wait of a follower's fetch for new records."},
	{"replica.fetch.min.bytes", Int, "1", nil, High, ReadOnly, Honoured, "Bytes that a follower's fetch waits for."},
	{"replica.fetch.max.bytes", Int, "1048576", atLeast(0), Medium, ReadOnly, Honoured, "Bytes that a follower asks for from one partition; one batch always fits."},
	{"replica.fetch.response.max.bytes", Int, "10485760", atLeast(0), Medium, ReadOnly, Honoured, "Bytes that a follower asks for in one fetch; one batch always fits."},
	{"replica.fetch.backoff.ms", Int, "1000", atLeast(0), Medium, ReadOnly, Honoured, "Pause of a follower after a partition's fetch failed."},
	{"replica.high.watermark.checkpoint.interval.ms", Long, "5000", nil, High, ReadOnly, Honoured, "How often high watermarks are written."},
	{"replica.socket.timeout.ms", Int, "30000", nil, High, ReadOnly, Honoured, "Time limit on a follower's requests."},
	{"replica.socket.receive.buffer.bytes", Int, "65536", nil, High, ReadOnly, Accepted, "Receive buffer of a follower's connection; -1 for the system's."},
	{"replica.selector.class", String, null, oneOf(leaderSelector, rackSelector), Medium, ReadOnly, Honoured, "Who consumers read from: the leader, or a replica in sync of their own rack (client.rack)."},
	{"num.replica.fetchers", Int, "1", atLeast(1), High, ClusterWide, Accepted, "Fetchers for each broker that this one follows."},
	{"num.replica.alter.log.dirs.threads", Int, null, nil, High, ReadOnly, Accepted, "Workers that move partitions between directories."},
	{"leader.replication.throttled.rate", Long, null, atLeast(0), Medium, ClusterWide, Honoured | internal, "Bytes a second that leaders of throttled partitions send to followers."},
	{"follower.replication.throttled.rate", Long, null, atLeast(0), Medium, ClusterWide, Honoured | internal, "Bytes a second that followers of throttled partitions fetch."},
	{"replica.alter.log.dirs.io.max.bytes.per.second", Long, null, atLeast(0), Medium, ClusterWide, Honoured | internal, "Bytes a second for moving partitions between directories."},
	{"background.threads", Int, "10", atLeast(1), High, ClusterWide, Accepted, "Workers for background tasks."},
}
