package config

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// ValidateTopic checks the whole configuration of a topic as it would be stored, in Kafka's words. The error is an
// *Error with INVALID_CONFIG.
func (s Sources) ValidateTopic(overrides map[string]string) error {
	if err := checkAll(TopicResource, overrides, kerr.InvalidConfig, "Unknown topic config name: %s"); err != nil {
		return err
	}
	v := resourceValues{s, TopicResource, overrides}
	if lo, hi := v.int64("min.compaction.lag.ms"), v.int64("max.compaction.lag.ms"); lo > hi {
		return refuse(kerr.InvalidConfig,
			"conflict topic config setting min.compaction.lag.ms (%d) > max.compaction.lag.ms (%d)", lo, hi)
	}
	if v.bool("remote.storage.enable") {
		return refuse(kerr.InvalidConfig,
			"Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.")
	}
	return nil
}

// checkAll looks for unknown names first, then judges each value.
func checkAll(r Resource, configs map[string]string, code *kerr.Error, unknown string) error {
	if err := checkNames(r, configs, code, unknown); err != nil {
		return err
	}
	return checkValues(r, configs)
}

func checkNames(r Resource, configs map[string]string, code *kerr.Error, unknown string) error {
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		if _, ok := Lookup(r, name); !ok {
			return refuse(code, unknown, name)
		}
	}
	return nil
}

func checkValues(r Resource, configs map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		k, _ := Lookup(r, name)
		if err := k.Check(configs[name]); err != nil {
			return refuse(kerr.InvalidConfig, "%s", err)
		}
	}
	return nil
}

// groupRange is a group key whose value the broker's keys bound; an empty name is no bound.
type groupRange struct{ key, min, max string }

var groupRanges = []groupRange{
	{"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"},
	{"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"},
	{"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms"},
	{"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"},
	{"share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"},
	{"share.assignment.interval.ms", "group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms"},
	{"share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"},
	{"share.delivery.count.limit", "group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit"},
	{"share.partition.max.record.locks", "group.share.min.partition.max.record.locks", "group.share.max.partition.max.record.locks"},
	{"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms"},
	{"streams.session.timeout.ms", "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms"},
	{"streams.num.standby.replicas", "", "group.streams.max.standby.replicas"},
	{"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms"},
	{"streams.task.offset.interval.ms", "group.streams.min.task.offset.interval.ms", ""},
	{"streams.num.warmup.replicas", "", "group.streams.max.warmup.replicas"},
}

// ValidateGroup checks the whole configuration of a group. The error is an *Error with INVALID_CONFIG.
func (s Sources) ValidateGroup(overrides map[string]string) error {
	if err := checkNames(GroupResource, overrides, kerr.InvalidConfig, "Unknown group config name: %s"); err != nil {
		return err
	}
	tags := SplitList(overrides["streams.rack.aware.assignment.tags"])
	if len(compact(tags)) != len(tags) {
		return refuse(kerr.InvalidConfig, "streams.rack.aware.assignment.tags must not contain duplicate tag keys.")
	}
	if err := checkValues(GroupResource, overrides); err != nil {
		return err
	}
	v := resourceValues{s, GroupResource, overrides}
	for _, r := range groupRanges {
		if _, ok := overrides[r.key]; !ok {
			continue
		}
		switch n, lo, hi := v.int64(r.key), s.Int(r.min), s.Int(r.max); {
		case r.min == "" && n > hi:
			return refuse(kerr.InvalidConfig, "%s must be less than or equal to %d", r.key, hi)
		case r.max == "" && n < lo:
			return refuse(kerr.InvalidConfig, "%s must be greater than or equal to %d", r.key, lo)
		case r.min != "" && r.max != "" && (n < lo || n > hi):
			return refuse(kerr.InvalidConfig, "%s must be in the range %d to %d inclusive.", r.key, lo, hi)
		}
	}
	return s.checkGroupRules(overrides)
}

func (s Sources) checkGroupRules(overrides map[string]string) error {
	if name, ok := overrides["streams.assignor.name"]; ok {
		name = trim(name)
		if known := s.List("group.streams.assignors"); !slices.Contains(known, name) {
			return refuse(kerr.InvalidConfig, "streams.assignor.name '%s' is not a registered task assignor."+
				" Registered assignors are: [%s].", name, strings.Join(known, ", "))
		}
	}
	for _, kind := range []string{"consumer", "share", "streams"} {
		if err := s.checkHeartbeats(overrides, kind+".session.timeout.ms", kind+".heartbeat.interval.ms"); err != nil {
			return err
		}
	}
	if strings.HasPrefix(overrides["errors.deadletterqueue.topic.name"], "__") {
		return refuse(kerr.InvalidConfig, "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'")
	}
	return nil
}

// checkHeartbeats refuses a session that is over before a heartbeat is due, where a group sets either of the two.
func (s Sources) checkHeartbeats(overrides map[string]string, session, heartbeat string) error {
	v := resourceValues{s, GroupResource, overrides}
	_, one := overrides[session]
	_, other := overrides[heartbeat]
	if (one || other) && v.int64(session) <= v.int64(heartbeat) {
		return refuse(kerr.InvalidConfig, "%s must be greater than %s", session, heartbeat)
	}
	return nil
}

// clientMatchers are the names that a client-metrics subscription may match on (KIP-714).
var clientMatchers = []string{
	"client_instance_id", "client_id", "client_software_name", "client_software_version",
	"client_source_address", "client_source_port",
}

// ValidateClientMetrics checks the whole configuration of a client-metrics subscription. The error is an *Error with
// INVALID_CONFIG or INVALID_REQUEST.
func ValidateClientMetrics(overrides map[string]string) error {
	err := checkAll(ClientMetricsResource, overrides, kerr.InvalidRequest, "Unknown client metrics configuration: %s")
	if err != nil {
		return err
	}
	if v, ok := overrides["interval.ms"]; ok {
		if n, _ := strconv.Atoi(trim(v)); n < 100 || n > 3_600_000 {
			return refuse(kerr.InvalidRequest,
				"Invalid value %d for interval.ms, interval must be between 100 and 3600000 (1 hour)", n)
		}
	}
	for _, m := range SplitList(overrides["match"]) {
		parts := strings.Split(strings.TrimRight(m, "="), "=") // as Java splits
		if len(parts) == 2 && slices.Contains(clientMatchers, trim(parts[0])) {
			if _, err := regexp.Compile(trim(parts[1])); err == nil {
				continue
			}
		}
		return refuse(kerr.InvalidConfig, "Illegal client matching pattern: %s", m)
	}
	return nil
}

// ValidateBroker checks the whole dynamic configuration of one broker, or of all (the empty name) when cluster is
// true: proposed as it would be stored, stored as it is. s is the present configuration of the broker that checks.
// The error is an *Error with INVALID_REQUEST or INVALID_CONFIG.
func (s Sources) ValidateBroker(stored, proposed map[string]string, cluster bool) error {
	if err := checkScopes(proposed); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(proposed)) {
		k, _, ok := lookupBroker(name)
		if !ok {
			continue
		}
		if err := k.Check(proposed[name]); err != nil {
			return refuse(kerr.InvalidRequest, "%s", err)
		}
	}
	if cluster {
		if err := checkClusterScope(proposed); err != nil {
			return err
		}
	}
	next := s.WithDynamic(s.Cluster, proposed)
	if cluster {
		next = s.WithDynamic(proposed, s.Broker)
	}
	if err := s.checkThreads(proposed); err != nil {
		return err
	}
	for _, why := range next.valueConflicts() {
		if !slices.Contains(s.valueConflicts(), why) {
			if !strings.HasPrefix(why, "group.") {
				why = "requirement failed: " + why
			}
			return refuse(kerr.InvalidRequest, "%s", why)
		}
	}
	if _, err := parseConnectionOverrides(next.Text("max.connections.per.ip.overrides")); err != nil {
		return refuse(kerr.InvalidRequest, "%s", err)
	}
	return checkBrokerRules(stored, proposed)
}

// checkClusterScope refuses keys that every broker has to have for itself.
func checkClusterScope(proposed map[string]string) error {
	var perBroker []string
	for _, name := range slices.Sorted(maps.Keys(proposed)) {
		if k, prefixed, ok := lookupBroker(name); ok && (k.Scope == PerBroker || prefixed) {
			perBroker = append(perBroker, name)
		}
	}
	if perBroker == nil {
		return nil
	}
	return refuse(kerr.InvalidRequest, "Cannot update these configs at default cluster level,"+
		" broker id must be specified: [%s]", strings.Join(perBroker, ", "))
}

// checkScopes refuses keys that can't be altered while a node runs, all of a kind at once.
func checkScopes(proposed map[string]string) error {
	var fixed, security []string
	for _, name := range slices.Sorted(maps.Keys(proposed)) {
		k, prefixed, ok := lookupBroker(name)
		switch {
		case !ok:
		case !prefixed && k.Scope == ReadOnly:
			fixed = append(fixed, name)
		case !prefixed && slices.Contains(listenerSecurityKeys, name):
			security = append(security, name)
		}
	}
	switch {
	case fixed != nil:
		return refuse(kerr.InvalidRequest, "Cannot update these configs dynamically: [%s]", strings.Join(fixed, ", "))
	case security != nil:
		return refuse(kerr.InvalidRequest, "These security configs can be dynamically updated only per-listener"+
			" using the listener prefix: [%s]", strings.Join(security, ", "))
	}
	return nil
}

// listenerSecurityKeys change at run time only under a listener's prefix.
var listenerSecurityKeys = []string{
	"ssl.key.password", "ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.keystore.location",
	"ssl.keystore.password", "ssl.keystore.type", "ssl.truststore.certificates", "ssl.truststore.location",
	"ssl.truststore.password", "ssl.truststore.type",
}

// checkThreads refuses to more than double or halve a number of threads, as Kafka does.
func (s Sources) checkThreads(proposed map[string]string) error {
	const frame = "Invalid value org.apache.kafka.common.config.ConfigException: %s" +
		" for configuration Invalid dynamic configuration"
	for _, name := range []string{
		"background.threads", "num.io.threads", "num.network.threads", "num.recovery.threads.per.data.dir", "num.replica.fetchers",
	} {
		v, ok := proposed[name]
		if !ok {
			continue
		}
		n, _ := strconv.ParseInt(trim(v), 10, 64)
		why, now := "", s.Int(name)
		switch {
		case n < now/2:
			why = "value should be at least half the current value "
		case n > now*2:
			why = "value should not be greater than double the current value "
		default:
			continue
		}
		return refuse(kerr.InvalidRequest, frame, "Dynamic thread count update validation failed for "+
			name+"="+strconv.FormatInt(n, 10)+", "+why+strconv.FormatInt(now, 10))
	}
	return nil
}

// fixedListeners are keys that Kafka lets a running node change, and this version does not: it opens its listeners once.
var fixedListeners = []string{"listeners", "listener.security.protocol.map"}

// checkBrokerRules holds the rules of single keys.
func checkBrokerRules(stored, proposed map[string]string) error {
	for _, name := range fixedListeners {
		if v, ok := proposed[name]; ok && v != stored[name] {
			return refuse(kerr.InvalidRequest, "%s can't change while the node runs: set it in its file and restart it", name)
		}
	}
	return nil
}
