import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Members of consumer groups, by name. */
final class Groups {
  private final String bootstrap;
  private final Admin admin;
  private final Map<String, KafkaConsumer<byte[], byte[]>> members = new HashMap<>();

  Groups(String bootstrap, Admin admin) {
    this.bootstrap = bootstrap;
    this.admin = admin;
  }

  Object run(JsonNode q) throws Exception {
    return switch (q.get("do").asText()) {
      case "join" -> join(q);
      case "commitOffsets" -> commit(q);
      default -> {
        members.remove(q.get("member").asText()).close();
        yield null;
      }
    };
  }

  /** Joins and reads until every partition of the topic is assigned. */
  private Object join(JsonNode q) {
    Map<String, Object> c = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.id", q.get("group").asText(),
        "group.protocol", q.get("protocol").asText(), "enable.auto.commit", false, "auto.offset.reset", "earliest",
        "reconnect.backoff.max.ms", 200));
    if (q.has("instance")) {
      c.put("group.instance.id", q.get("instance").asText());
      if (q.get("protocol").asText().equals("classic")) {
        c.put("session.timeout.ms", 600000); // it stays while the servers change
      }
    }
    KafkaConsumer<byte[], byte[]> m = new KafkaConsumer<>(c, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    members.put(q.get("member").asText(), m);
    m.subscribe(List.of(q.get("topic").asText()));
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (m.assignment().size() < q.get("partitions").asInt()) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("assigned are " + m.assignment());
      }
      m.poll(Duration.ofMillis(50));
    }
    return m.assignment().size();
  }

  /** Commits as a member, or for a group without members. */
  private Object commit(JsonNode q) throws Exception {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    q.get("offsets").fields().forEachRemaining(e -> offsets.put(
        new TopicPartition(q.get("topic").asText(), Integer.parseInt(e.getKey())),
        new OffsetAndMetadata(e.getValue().asLong(), java.util.Optional.of(0), q.path("metadata").asText(""))));
    if (q.has("member")) {
      members.get(q.get("member").asText()).commitSync(offsets);
      return null;
    }
    return admin.alterConsumerGroupOffsets(q.get("group").asText(), offsets).all().get();
  }
}
