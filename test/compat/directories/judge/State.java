import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** All that an administrator can see of a cluster beside its records, by section; a section that is refused says so. */
final class State {
  private final Admin admin;

  State(Admin admin) {
    this.admin = admin;
  }

  Object all() {
    Map<String, Object> s = new TreeMap<>();
    section(s, "topics", this::topics);
    section(s, "topicConfigs", () -> configs(ConfigResource.Type.TOPIC, names()));
    section(s, "brokerConfigs", this::brokerConfigs);
    section(s, "groupConfigs", () -> named(ConfigResource.Type.GROUP));
    section(s, "clientMetrics", () -> named(ConfigResource.Type.CLIENT_METRICS));
    section(s, "features", this::features);
    section(s, "producers", this::producers);
    section(s, "directories", this::directories);
    section(s, "quotas", this::quotas);
    section(s, "acls", this::acls);
    section(s, "scram", this::scram);
    section(s, "transactions", this::transactions);
    section(s, "groups", this::groups);
    section(s, "offsets", this::offsets);
    section(s, "members", this::members);
    return s;
  }

  private static void section(Map<String, Object> s, String name, Callable<Object> f) {
    try {
      s.put(name, Map.of("is", f.call()));
    } catch (Exception e) {
      s.put(name, Map.of("error", Judge.cause(e).toString()));
    }
  }

  private Set<String> names() throws Exception {
    return admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
  }

  private Object topics() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    admin.describeTopics(names()).allTopicNames().get().values().forEach(d -> {
      Map<String, Object> t = new TreeMap<>(Map.of("id", d.topicId().toString(), "internal", d.isInternal()));
      d.partitions().forEach(p -> t.put(String.valueOf(p.partition()), List.of(p.leader().id(),
          p.replicas().stream().map(n -> n.id()).toList(), p.isr().stream().map(n -> n.id()).toList())));
      out.put(d.name(), t);
    });
    return out;
  }

  private Object configs(ConfigResource.Type type, Collection<String> names) throws Exception {
    Map<String, Object> out = new TreeMap<>();
    List<ConfigResource> resources = names.stream().map(n -> new ConfigResource(type, n)).toList();
    admin.describeConfigs(resources, new DescribeConfigsOptions().includeSynonyms(true)).all().get().forEach((r, c) -> {
      Map<String, Object> entries = new TreeMap<>();
      c.entries().forEach(e -> entries.put(e.name(), e.value() + " from " + e.source()));
      out.put(r.name(), entries);
    });
    return out;
  }

  /** Only what was set while the broker ran: the rest is its file's. */
  private Object brokerConfigs() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    List<ConfigResource> resources = List.of(new ConfigResource(ConfigResource.Type.BROKER, "1"), new ConfigResource(ConfigResource.Type.BROKER, ""));
    admin.describeConfigs(resources).all().get().forEach((r, c) -> c.entries().forEach(e -> {
      if (e.source().name().startsWith("DYNAMIC")) {
        out.put(r.name() + "/" + e.name(), (e.isSensitive() ? "sensitive" : e.value()) + " from " + e.source());
      }
    }));
    return out;
  }

  private Object named(ConfigResource.Type type) throws Exception {
    List<String> names = admin.listConfigResources(Set.of(type), new ListConfigResourcesOptions()).all().get().stream()
        .map(ConfigResource::name).toList();
    return configs(type, names);
  }

  private Object features() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    admin.describeFeatures().featureMetadata().get().finalizedFeatures().forEach((f, r) -> out.put(f, r.maxVersionLevel()));
    return out;
  }

  private Set<TopicPartition> partitions() throws Exception {
    Set<TopicPartition> all = new HashSet<>();
    admin.describeTopics(names()).allTopicNames().get().values().forEach(d -> d.partitions().forEach(p ->
        all.add(new TopicPartition(d.name(), p.partition()))));
    return all;
  }

  private Object producers() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    admin.describeProducers(partitions()).all().get().forEach((tp, s) -> s.activeProducers().forEach(p ->
        out.put(tp + "/" + p.producerId(), List.of(p.producerEpoch(), p.lastSequence(), p.lastTimestamp(),
            p.coordinatorEpoch().orElse(-1), p.currentTransactionStartOffset().orElse(-1)))));
    return out;
  }

  private Object directories() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).forEach((dir, d) ->
        d.replicaInfos().forEach((tp, r) -> out.put(tp.toString(), dir)));
    return out;
  }

  private Object quotas() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().forEach((e, q) ->
        out.put(new TreeMap<>(e.entries()).toString(), new TreeMap<>(q)));
    return out;
  }

  private Object acls() throws Exception {
    return admin.describeAcls(AclBindingFilter.ANY).values().get().stream().map(AclBinding::toString).sorted().toList();
  }

  private Object scram() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    admin.describeUserScramCredentials().all().get().forEach((u, d) -> out.put(u, d.credentialInfos().stream()
        .map(ScramCredentialInfo::toString).sorted().toList()));
    return out;
  }

  private Object transactions() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    List<String> ids = new ArrayList<>();
    admin.listTransactions().all().get().forEach(t -> ids.add(t.transactionalId()));
    admin.describeTransactions(ids).all().get().forEach((id, t) -> out.put(id, List.of(t.state().toString(), t.producerId(),
        t.producerEpoch(), t.transactionTimeoutMs(), t.topicPartitions().stream().map(TopicPartition::toString).sorted().toList())));
    return out;
  }

  private Object groups() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    admin.listGroups().all().get().forEach(g -> out.put(g.groupId(), List.of(g.type().map(Object::toString).orElse("?"), g.protocol())));
    return out;
  }

  private Object offsets() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    for (var g : admin.listGroups().all().get()) {
      if (g.type().map(t -> t.toString().equals("Share") || t.toString().equals("Streams")).orElse(false)) {
        continue;
      }
      Map<String, Object> of = new TreeMap<>();
      admin.listConsumerGroupOffsets(g.groupId()).partitionsToOffsetAndMetadata().get().forEach((tp, o) ->
          of.put(tp.toString(), o == null ? "none" : o.offset() + " " + o.leaderEpoch().orElse(-1) + " " + o.metadata()));
      out.put(g.groupId(), of);
    }
    return out;
  }

  /** Of each group its state, assignor, epochs and members. */
  private Object members() throws Exception {
    Map<String, Object> out = new TreeMap<>();
    for (var g : admin.listGroups().all().get()) {
      if (g.type().map(t -> t.toString().equals("Share") || t.toString().equals("Streams")).orElse(false)) {
        continue;
      }
      var d = admin.describeConsumerGroups(List.of(g.groupId())).all().get().get(g.groupId());
      Map<String, Object> of = new TreeMap<>(Map.of("is", List.of(d.groupState(), d.partitionAssignor(), d.groupEpoch().orElse(-1),
          d.targetAssignmentEpoch().orElse(-1))));
      d.members().forEach(m -> of.put(m.consumerId(), List.of(m.groupInstanceId().orElse(""), m.clientId(), m.memberEpoch().orElse(-1),
          m.assignment().topicPartitions().stream().map(TopicPartition::toString).sorted().toList())));
      out.put(g.groupId(), of);
    }
    return out;
  }

  /** Sets something that the metadata log keeps. */
  Object set(JsonNode q) throws Exception {
    String name = q.path("name").asText("");
    return switch (q.get("what").asText()) {
      case "topic" -> config(ConfigResource.Type.TOPIC, name, q);
      case "broker" -> config(ConfigResource.Type.BROKER, name, q);
      case "group" -> config(ConfigResource.Type.GROUP, name, q);
      case "clientMetrics" -> config(ConfigResource.Type.CLIENT_METRICS, name, q);
      case "quota" -> admin.alterClientQuotas(List.of(new ClientQuotaAlteration(
          new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, name)),
          List.of(new ClientQuotaAlteration.Op(q.get("key").asText(), q.get("value").asDouble()))))).all().get();
      case "acl" -> admin.createAcls(List.of(new AclBinding(new ResourcePattern(ResourceType.TOPIC, name, PatternType.PREFIXED),
          new AccessControlEntry("User:" + q.get("value").asText(), "*", AclOperation.READ, AclPermissionType.ALLOW)))).all().get();
      case "scram" -> admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(name,
          new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), q.get("value").asText()))).all().get();
      default -> throw new IllegalArgumentException(q.toString());
    };
  }

  private Object config(ConfigResource.Type type, String name, JsonNode q) throws Exception {
    AlterConfigOp op = new AlterConfigOp(new ConfigEntry(q.get("key").asText(), q.get("value").asText()), AlterConfigOp.OpType.SET);
    return admin.incrementalAlterConfigs(Map.of(new ConfigResource(type, name), List.of(op))).all().get();
  }
}
