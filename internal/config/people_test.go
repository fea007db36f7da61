package config

import (
	"strings"
	"testing"
)

// peopleSet are the keys that the usual files of Apache Kafka, its images, operators and tools set, each with a value that is not its default.
// topic stands before keys of topics.
const peopleSet = `
process.roles=broker,controller
node.id=1
broker.id=1
controller.quorum.voters=1@127.0.0.1:9093
controller.quorum.bootstrap.servers=127.0.0.1:9093
controller.listener.names=CONTROLLER
broker.rack=a
listeners=PLAINTEXT://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093
advertised.listeners=PLAINTEXT://localhost:9092
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
security.inter.broker.protocol=PLAINTEXT
log.dirs=/data
log.dir=/data
metadata.log.dir=/meta
log.retention.hours=24
log.retention.minutes=5
log.retention.ms=5000
log.retention.bytes=5000
log.segment.bytes=5000000
log.roll.hours=5
log.cleanup.policy=compact
log.retention.check.interval.ms=5000
log.flush.interval.messages=5
log.flush.interval.ms=5
num.partitions=3
default.replication.factor=3
min.insync.replicas=2
auto.create.topics.enable=false
delete.topic.enable=false
unclean.leader.election.enable=true
auto.leader.rebalance.enable=false
compression.type=gzip
message.max.bytes=5000
replica.fetch.max.bytes=5000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=5
offsets.retention.minutes=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=5
group.max.session.timeout.ms=50000
group.max.size=5
group.coordinator.rebalance.protocols=classic,consumer
group.consumer.session.timeout.ms=46000
group.consumer.heartbeat.interval.ms=6000
group.consumer.assignors=range
group.consumer.max.size=5
num.network.threads=5
num.io.threads=5
num.replica.fetchers=5
num.recovery.threads.per.data.dir=5
socket.send.buffer.bytes=5000
socket.receive.buffer.bytes=5000
socket.request.max.bytes=5000000
queued.max.requests=5
connections.max.idle.ms=5000
max.connections=5
max.connections.per.ip=5
max.connections.per.ip.overrides=127.0.0.1:5
max.connection.creation.rate=5
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.plaintext.plain.sasl.jaas.config=x
ssl.keystore.location=/k
ssl.keystore.type=PEM
ssl.keystore.password=p
ssl.truststore.location=/t
ssl.truststore.type=PEM
ssl.truststore.password=p
ssl.client.auth=required
ssl.principal.mapping.rules=RULE:x
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:a
allow.everyone.if.no.acl.found=true
sasl.oauthbearer.jwks.endpoint.url=http://x
quota.window.num=5
quota.window.size.seconds=5
transaction.max.timeout.ms=5000
transactional.id.expiration.ms=5000
producer.id.expiration.ms=5000
max.incremental.fetch.session.cache.slots=5
topic retention.ms=5000
topic retention.bytes=5000
topic cleanup.policy=compact
topic segment.bytes=5000000
topic segment.ms=5000
topic max.message.bytes=5000
topic min.insync.replicas=2
topic compression.type=gzip
topic min.compaction.lag.ms=5
topic max.compaction.lag.ms=5000
topic delete.retention.ms=5
topic min.cleanable.dirty.ratio=0.1
topic message.timestamp.type=LogAppendTime
topic remote.storage.enable=true
topic local.retention.ms=5
topic local.retention.bytes=5
topic unclean.leader.election.enable=true
topic leader.replication.throttled.replicas=*
topic follower.replication.throttled.replicas=*
`

// TestKeysThatPeopleSet goes through them: each is honoured (read by name, as TestKeysDoWhatTheySay of package arch holds it), accepted with a
// warning that names it, or refused. None is ignored in silence.
func TestKeysThatPeopleSet(t *testing.T) {
	base := []string{
		"process.roles=broker,controller", "node.id=1", "controller.quorum.voters=1@127.0.0.1:9093", "controller.listener.names=CONTROLLER",
		"listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093", "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
	}
	for line := range strings.Lines(strings.TrimPrefix(peopleSet, "\n")) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, "=")
		if topic, ok := strings.CutPrefix(name, "topic "); ok {
			testTopicKey(t, topic, value)
			continue
		}
		var file []string
		for _, l := range base {
			if !strings.HasPrefix(l, name+"=") {
				file = append(file, l)
			}
		}
		n, err := Load("f", []byte(strings.Join(append(file, line), "\n")), nil)
		k, prefixed, known := lookupBroker(name)
		warned := n != nil && strings.Contains(strings.Join(n.Warnings, "\n"), name)
		switch {
		case known && !prefixed && k.Status == Refused:
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s is to be refused: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", line, err)
		case known && !prefixed && k.Status == Honoured:
			if got := n.Sources.DescribeBroker([]string{name}); warned || len(got) != 1 || got[0].Source != FromFile {
				t.Errorf("%s is honoured: warned %v, described as %v", name, warned, got)
			}
		case !warned:
			t.Errorf("%s has no effect and nothing says so: %q", name, n.Warnings)
		}
	}
}

// testTopicKey looks whether a topic's key shows in what a node makes of it; what has no effect says so on the reference page.
func testTopicKey(t *testing.T, name, value string) {
	t.Helper()
	k, ok := Lookup(TopicResource, name)
	if !ok || k.Check(value) != nil {
		t.Errorf("topic key %s=%s: %v", name, value, k.Check(value))
		return
	}
	refused := Sources{}.ValidateTopic(map[string]string{name: value}) != nil
	if !refused && k.Status == Accepted && !strings.Contains(Reference(), "| `"+name+"` |") {
		t.Errorf("topic key %s has no effect and the page does not know it", name)
	}
}
