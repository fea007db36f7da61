package config

import (
	"cmp"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// build fills the typed part from the values, which are well-formed by now, and checks them against each other.
func (l *loader) build() {
	n, s := l.node, l.node.Sources
	if !l.roles() {
		return
	}
	n.ID = kafka.NodeID(s.Int("node.id"))
	n.Rack = s.Text("broker.rack")
	n.Voters, _ = parseVoters(s.Text("controller.quorum.voters"))
	n.BootstrapServers = s.List("controller.quorum.bootstrap.servers")
	n.LogDirs = s.logDirs()
	n.MetadataLogDir = cmp.Or(s.Text("metadata.log.dir"), n.LogDirs[0])
	if !l.listeners() {
		return
	}
	l.limits()
	for _, why := range n.conflicts() {
		l.fail(l.file, why)
	}
}

// roles reads process.roles and looks for what every node must set.
func (l *loader) roles() bool {
	n, s := l.node, l.node.Sources
	if _, ok := s.set("process.roles"); !ok {
		why := `Missing required configuration "process.roles" which has no default value.`
		if _, zk := s.set("zookeeper.connect"); zk {
			why += " ZooKeeper is not supported: migrate the cluster to KRaft with Apache Kafka 3.9 first."
		}
		l.fail(l.file, why)
		return false
	}
	for _, r := range s.List("process.roles") {
		n.Broker = n.Broker || r == "broker"
		n.Controller = n.Controller || r == "controller"
	}
	missing := false
	for _, name := range []string{"controller.listener.names", "node.id"} {
		if _, ok := s.set(name); !ok {
			l.fail(l.file, `Missing required configuration "`+name+`" which has no default value.`)
			missing = true
		}
	}
	return !missing
}

// compact drops repeated elements, as Kafka does with a warning.
func compact(all []string) []string {
	var out []string
	for _, e := range all {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// listeners reads the listeners and their advertised forms.
func (l *loader) listeners() bool {
	n, s := l.node, l.node.Sources
	protocols, err := s.protocolMap()
	if err != nil {
		l.fail(l.place("listener.security.protocol.map"), err.Error())
		return false
	}
	for _, name := range s.List("controller.listener.names") {
		n.ControllerListeners = append(n.ControllerListeners, strings.ToUpper(name))
	}
	text := DefaultListeners
	if _, ok := s.set("listeners"); ok {
		text = s.Text("listeners")
	}
	if n.Listeners, err = parseListeners(text, protocols, false); err != nil {
		l.fail(l.place("listeners"), err.Error())
		return false
	}
	advertised, err := parseListeners(s.Text("advertised.listeners"), protocols, true)
	if err != nil {
		l.fail(l.place("advertised.listeners"), err.Error())
		return false
	}
	l.advertise(advertised)
	l.plaintextOnly(protocols)
	return l.interBroker(protocols)
}

// plaintextOnly refuses listeners of other protocols, those of the controllers elsewhere included.
func (l *loader) plaintextOnly(protocols map[string]string) {
	names := listenerNames(l.node.Listeners)
	for _, name := range l.node.ControllerListeners {
		if protocols[name] == "" {
			l.fail(l.place("controller.listener.names"), "Controller listener with name "+name+" defined in"+
				" controller.listener.names not found in listener.security.protocol.map  (an explicit security mapping for each"+
				" controller listener is required if listener.security.protocol.map is non-empty, or if there are security"+
				" protocols other than PLAINTEXT in use)")
		} else if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if protocols[name] != "PLAINTEXT" {
			l.fail(l.place("listeners"), "listener "+name+" uses "+protocols[name]+
				": only PLAINTEXT is available in this version; map it to PLAINTEXT in listener.security.protocol.map")
		}
	}
}

// advertise splits what is advertised into broker and controller listeners; what is missing is taken from listeners.
func (l *loader) advertise(advertised []Listener) {
	n := l.node
	for _, a := range advertised {
		if n.IsControllerListener(a.Name) {
			n.ControllerAdvertised = append(n.ControllerAdvertised, a)
		} else {
			n.Advertised = append(n.Advertised, a)
		}
	}
	named := func(all []Listener, name string) bool {
		return slices.ContainsFunc(all, func(x Listener) bool { return x.Name == name })
	}
	_, set := n.Sources.set("advertised.listeners")
	for _, x := range n.Listeners {
		switch {
		case !n.IsControllerListener(x.Name):
			if !set {
				n.Advertised = append(n.Advertised, x)
			}
		case !named(n.ControllerAdvertised, x.Name):
			n.ControllerAdvertised = append(n.ControllerAdvertised, x)
		}
	}
}

// interBroker finds the listener between brokers.
func (l *loader) interBroker(protocols map[string]string) bool {
	n, s := l.node, l.node.Sources
	_, byName := s.set("inter.broker.listener.name")
	_, byProtocol := s.set("security.inter.broker.protocol")
	if byName && byProtocol {
		l.fail(l.place("inter.broker.listener.name"),
			"Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.")
		return false
	}
	n.InterBrokerListener = strings.ToUpper(cmp.Or(s.Text("inter.broker.listener.name"), s.Text("security.inter.broker.protocol")))
	if byName && protocols[n.InterBrokerListener] == "" {
		l.fail(l.place("inter.broker.listener.name"), "Listener with name "+n.InterBrokerListener+
			" defined in inter.broker.listener.name not found in listener.security.protocol.map.")
		return false
	}
	return true
}

func (l *loader) place(key string) string { return cmp.Or(l.where[key], l.file) }

// limits fills the plain values.
func (l *loader) limits() {
	n, s := l.node, l.node.Sources
	n.Topics = TopicDefaults{
		Partitions:        int32(s.Int("num.partitions")),
		ReplicationFactor: int16(s.Int("default.replication.factor")),
		AutoCreate:        s.Bool("auto.create.topics.enable"),
		DeleteEnabled:     s.Bool("delete.topic.enable"),
	}
	n.Storage = StorageLimits{
		RetentionCheck:          s.Millis("log.retention.check.interval.ms"),
		FlushCheck:              s.Millis("log.flush.scheduler.interval.ms"),
		RecoveryCheckpoint:      s.Millis("log.flush.offset.checkpoint.interval.ms"),
		StartOffsetCheckpoint:   s.Millis("log.flush.start.offset.checkpoint.interval.ms"),
		HighWatermarkCheckpoint: s.Millis("replica.high.watermark.checkpoint.interval.ms"),
		InitialDelay:            s.Millis("log.initial.task.delay.ms"),
		DirFailureTimeout:       s.Millis("log.dir.failure.timeout.ms"),
		ProducerExpirationCheck: s.Millis("producer.id.expiration.check.interval.ms"),
	}
	n.Replica = ReplicaLimits{
		LagMax:                s.Millis("replica.lag.time.max.ms"),
		FetchWaitMax:          s.Millis("replica.fetch.wait.max.ms"),
		FetchMinBytes:         int(s.Int("replica.fetch.min.bytes")),
		PartitionFetchBytes:   int(s.Int("replica.fetch.max.bytes")),
		FetchResponseMaxBytes: int(s.Int("replica.fetch.response.max.bytes")),
		FetchBackoff:          s.Millis("replica.fetch.backoff.ms"),
		SocketTimeout:         s.Millis("replica.socket.timeout.ms"),
		NearestReads:          s.Text("replica.selector.class") == rackSelector,
	}
	n.Metrics = Metrics{Listener: s.Text("ottla.metrics.listener"), Profiles: s.Bool("ottla.metrics.pprof.enable")}
	if host, port, err := splitAddress(n.Metrics.Listener); n.Metrics.Listener != "" && err != nil {
		l.fail(l.place("ottla.metrics.listener"), "ottla.metrics.listener="+n.Metrics.Listener+" is not host:port")
	} else if n.Metrics.Listener != "" {
		n.Metrics.Listener = net.JoinHostPort(cmp.Or(host, "127.0.0.1"), strconv.Itoa(port))
	}
	n.Network = s.networkLimits()
	n.Quorum = s.quorumLimits()
	if _, err := parseConnectionOverrides(s.Text("max.connections.per.ip.overrides")); err != nil {
		l.fail(l.place("max.connections.per.ip.overrides"), err.Error())
	}
}

func (s Sources) networkLimits() NetworkLimits {
	return NetworkLimits{
		RequestMaxBytes:       int(s.Int("socket.request.max.bytes")),
		QueuedMaxBytes:        s.Int("queued.max.request.bytes"),
		SendBufferBytes:       s.bufferSize("socket.send.buffer.bytes", 256<<10),
		ReceiveBufferBytes:    s.bufferSize("socket.receive.buffer.bytes", -1),
		IdleTimeout:           s.Millis("connections.max.idle.ms"),
		RequestTimeout:        s.Millis("request.timeout.ms"),
		ConnectTimeout:        s.Millis("socket.connection.setup.timeout.ms"),
		ConnectTimeoutMax:     s.Millis("socket.connection.setup.timeout.max.ms"),
		FetchMaxBytes:         int(s.Int("fetch.max.bytes")),
		FetchSessions:         int(s.Int("max.incremental.fetch.session.cache.slots")),
		DescribeMaxPartitions: int(s.Int("max.request.partition.size.limit")),
	}
}

// bufferSize is the size of a socket's buffer where a file sets it, else our own; -1 is the system's. Kafka's default of 100 KiB, which clients
// are told, is for those who ask for it: both directions are faster without (ADRs 23 and 24).
func (s Sources) bufferSize(key string, own int) int {
	if _, ok := s.set(key); !ok {
		return own
	}
	return int(s.Int(key))
}

// Connections returns the limits of the connections of all listeners together.
func (s Sources) Connections() ConnectionLimits {
	byIP, _ := parseConnectionOverrides(s.Text("max.connections.per.ip.overrides")) // it was checked when it was set
	return ConnectionLimits{
		MaxConnections:      int(s.Int("max.connections")),
		MaxConnectionRate:   int(s.Int("max.connection.creation.rate")),
		MaxConnectionsPerIP: int(s.Int("max.connections.per.ip")),
		MaxConnectionsByIP:  byIP,
	}
}

// OfListener returns the limits of a listener alone, which are keys with its prefix ("listener.name.internal.max.connections"): the total and
// the rate, each the largest number if it is not set.
func (s Sources) OfListener(name string) ConnectionLimits {
	number := func(key string) int {
		raw, ok := s.set("listener.name." + strings.ToLower(name) + "." + key)
		n, err := strconv.ParseInt(trim(raw), 10, 32)
		if !ok || err != nil {
			return math.MaxInt32
		}
		return int(n)
	}
	return ConnectionLimits{MaxConnections: number("max.connections"), MaxConnectionRate: number("max.connection.creation.rate")}
}

func (s Sources) quorumLimits() QuorumLimits {
	q := QuorumLimits{
		ElectionTimeout:       s.Millis("controller.quorum.election.timeout.ms"),
		FetchTimeout:          s.Millis("controller.quorum.fetch.timeout.ms"),
		PeerTimeout:           s.Millis("controller.quorum.request.timeout.ms"),
		RetryBackoff:          s.Millis("controller.quorum.retry.backoff.ms"),
		LogFetchMaxBytes:      int(s.Int("controller.quorum.fetch.max.bytes")),
		SnapshotFetchMaxBytes: int(s.Int("controller.quorum.fetch.snapshot.max.bytes")),
		SegmentBytes:          int(s.Int("metadata.log.segment.bytes")),
		SegmentAge:            s.Millis("metadata.log.segment.ms"),
		SnapshotBytes:         s.Int("metadata.log.max.record.bytes.between.snapshots"),
		SnapshotAge:           s.Millis("metadata.log.max.snapshot.interval.ms"),
		LogRetentionBytes:     s.Int("metadata.max.retention.bytes"),
		LogRetention:          s.Millis("metadata.max.retention.ms"),
		BrokerHeartbeat:       s.Millis("broker.heartbeat.interval.ms"),
		BrokerSession:         s.Millis("broker.session.timeout.ms"),
		RegistrationTimeout:   s.Millis("initial.broker.registration.timeout.ms"),
		ControlledShutdown:    s.Bool("controlled.shutdown.enable"),
		AutoJoin:              s.Bool("controller.quorum.auto.join.enable"),
	}
	if s.Bool("auto.leader.rebalance.enable") {
		q.LeaderRebalance = s.Seconds("leader.imbalance.check.interval.seconds")
	}
	const idle = "metadata.max.idle.interval.ms"
	if _, ok := s.set(idle); ok { // Kafka's default is for those who ask for it: ADR 11
		q.IdleInterval = s.Millis(idle)
	}
	if n := s.Int("internal.metadata.log.segment.bytes"); n > 0 {
		q.SegmentBytes = int(n)
	}
	return q
}

var hostPattern = regexp.MustCompile(`^[0-9a-zA-Z\-%._:]*$`)

// parseConnectionOverrides reads address:number pairs.
func parseConnectionOverrides(value string) (map[string]int, error) {
	all := map[string]int{}
	for _, e := range SplitList(value) {
		i := strings.LastIndexByte(e, ':')
		if i < 0 {
			return nil, complaint(strconv.Quote(e) + " is not address:number")
		}
		n, err := strconv.ParseInt(e[i+1:], 10, 32)
		if err != nil {
			return nil, complaint(`For input string: "` + e[i+1:] + `"`)
		}
		host := strings.Trim(e[:i], "[]")
		if !hostPattern.MatchString(host) {
			return nil, complaint("max.connections.per.ip.overrides contains invalid addresses : " + e[:i])
		}
		all[host] = int(n)
	}
	return all, nil
}
