import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Apache Kafka's own clients, which live on while servers take turns at their address: a line {"do", …} on stdin gives
 * a line {"ok": …} or {"error": …} on stdout. Producers have names, and stay until they are closed.
 */
public final class Judge {
  static final ObjectMapper JSON = new ObjectMapper();

  private final String bootstrap;
  private final Admin admin;
  private final State state;
  private final Groups groups;
  private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();

  private Judge(String bootstrap) {
    this.bootstrap = bootstrap;
    admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", 30000, "request.timeout.ms", 10000,
        "reconnect.backoff.max.ms", 200));
    state = new State(admin);
    groups = new Groups(bootstrap, admin);
  }

  public static void main(String[] args) throws Exception {
    Judge judge = new Judge(args[0]);
    PrintStream answers = System.out;
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      Map<String, Object> answer = new LinkedHashMap<>();
      try {
        answer.put("ok", judge.run(JSON.readTree(line)));
      } catch (Exception e) {
        answer.put("error", cause(e).toString());
      }
      answers.println(JSON.writeValueAsString(answer));
      answers.flush();
    }
    Runtime.getRuntime().halt(0); // producers in the middle of a transaction do not close in time
  }

  /** The error that the server answered, inside what the client wraps around it. */
  static Throwable cause(Throwable e) {
    while ((e instanceof ExecutionException || e instanceof CompletionException) && e.getCause() != null) {
      e = e.getCause();
    }
    return e;
  }

  private Object run(JsonNode q) throws Exception {
    return switch (q.get("do").asText()) {
      case "create" -> create(q);
      case "deleteTopic" -> admin.deleteTopics(List.of(q.get("topic").asText())).all().get();
      case "produce" -> produce(q);
      case "close" -> close(q.get("producer").asText());
      case "begin" -> transaction(q, p -> p.beginTransaction());
      case "commit" -> ended(q, p -> p.commitTransaction());
      case "abort" -> ended(q, p -> p.abortTransaction());
      case "read" -> read(q);
      case "times" -> times(q);
      case "deleteRecords" -> deleteRecords(q);
      case "state" -> state.all();
      case "settle" -> settle();
      case "set" -> state.set(q);
      case "join", "commitOffsets", "leave" -> groups.run(q);
      default -> throw new IllegalArgumentException(q.toString());
    };
  }

  private String create(JsonNode q) throws Exception {
    String name = q.get("topic").asText();
    Map<String, String> configs = new HashMap<>();
    q.get("configs").fields().forEachRemaining(e -> configs.put(e.getKey(), e.getValue().asText()));
    admin.createTopics(List.of(new NewTopic(name, q.get("partitions").asInt(), (short) 1).configs(configs))).all().get();
    return eventually(() -> admin.describeTopics(List.of(name)).allTopicNames().get().get(name).topicId().toString());
  }

  /** Metadata takes some milliseconds to become visible. */
  static <T> T eventually(Callable<T> f) throws Exception {
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (true) {
      try {
        return f.call();
      } catch (Exception e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
      }
      Thread.sleep(20);
    }
  }

  /** Waits until every partition has a leader. */
  private Object settle() throws Exception {
    return eventually(() -> {
      Set<String> names = admin.listTopics(new org.apache.kafka.clients.admin.ListTopicsOptions().listInternal(true)).names().get();
      admin.describeTopics(names).allTopicNames().get().values().forEach(d -> d.partitions().forEach(p -> {
        if (p.leader() == null || p.leader().isEmpty()) {
          throw new IllegalStateException(d.name() + "-" + p.partition() + " has no leader");
        }
      }));
      return names.size();
    });
  }

  private KafkaProducer<byte[], byte[]> producer(JsonNode q) {
    return producers.computeIfAbsent(q.get("producer").asText(), name -> {
      Map<String, Object> c = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "acks", "all", "linger.ms", 5,
          "compression.type", q.path("codec").asText("none"), "enable.idempotence", q.path("idempotent").asBoolean(false),
          "max.in.flight.requests.per.connection", 1, "max.request.size", 4 << 20, "delivery.timeout.ms", 30000,
          "request.timeout.ms", 15000, "reconnect.backoff.max.ms", 200));
      if (q.has("transactional")) {
        c.put("enable.idempotence", true);
        c.put("transactional.id", q.get("transactional").asText());
        c.put("transaction.timeout.ms", 600000);
      }
      KafkaProducer<byte[], byte[]> p = new KafkaProducer<>(c, new ByteArraySerializer(), new ByteArraySerializer());
      if (q.has("transactional")) {
        p.initTransactions();
      }
      return p;
    });
  }

  private Object close(String name) {
    producers.remove(name).close(Duration.ofSeconds(5));
    return null;
  }

  private interface Step {
    void on(KafkaProducer<byte[], byte[]> p);
  }

  private Object transaction(JsonNode q, Step s) {
    s.on(producer(q));
    return null;
  }

  /**
   * Ends the one transaction that is open on a topic. The answer to the producer comes before the markers are written: what is
   * sent next could lie before them, and end what is committed with records that no reader is given.
   */
  private Object ended(JsonNode q, Step s) throws Exception {
    transaction(q, s);
    return eventually(() -> {
      Map<TopicPartition, OffsetSpec> all = new HashMap<>();
      for (int p = 0; p < q.get("partitions").asInt(); p++) {
        all.put(new TopicPartition(q.get("topic").asText(), p), OffsetSpec.latest());
      }
      var stable = admin.listOffsets(all, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED));
      var ends = admin.listOffsets(all);
      for (TopicPartition tp : all.keySet()) {
        if (stable.partitionResult(tp).get().offset() < ends.partitionResult(tp).get().offset()) {
          throw new IllegalStateException(tp + " has no marker yet");
        }
      }
      return null;
    });
  }

  static byte[] bytes(JsonNode n) throws Exception {
    return n == null || n.isNull() ? null : n.binaryValue();
  }

  /** Sends the records {p, t, k, v, h} and gives their offsets. */
  private Object produce(JsonNode q) throws Exception {
    KafkaProducer<byte[], byte[]> p = producer(q);
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (JsonNode r : q.get("records")) {
      List<Header> headers = new ArrayList<>();
      for (JsonNode h : r.get("h")) {
        headers.add(new RecordHeader(h.get(0).asText(), bytes(h.get(1))));
      }
      sent.add(p.send(new ProducerRecord<>(q.get("topic").asText(), r.get("p").asInt(), r.get("t").asLong(),
          bytes(r.get("k")), bytes(r.get("v")), headers)));
    }
    p.flush();
    List<Long> offsets = new ArrayList<>();
    for (Future<RecordMetadata> f : sent) {
      offsets.add(f.get().offset());
    }
    return offsets;
  }

  /** Gives a topic's bounds by partition, and its records as [partition, offset, time, leader epoch, digest]. */
  private Object read(JsonNode q) throws Exception {
    String topic = q.get("topic").asText();
    List<Object> got = new ArrayList<>();
    Map<String, Object> bounds = new LinkedHashMap<>();
    try (KafkaConsumer<byte[], byte[]> c = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "none",
        "enable.auto.commit", false, "allow.auto.create.topics", false, "fetch.max.wait.ms", 20, "isolation.level",
        q.path("isolation").asText("read_uncommitted"), "default.api.timeout.ms", 20000, "request.timeout.ms", 10000),
        new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      Set<TopicPartition> all = new HashSet<>();
      c.partitionsFor(topic).forEach(p -> all.add(new TopicPartition(topic, p.partition())));
      Map<TopicPartition, Long> begin = c.beginningOffsets(all);
      Map<TopicPartition, Long> end = c.endOffsets(all);
      c.assign(all);
      all.forEach(tp -> {
        c.seek(tp, begin.get(tp));
        bounds.put(String.valueOf(tp.partition()), List.of(begin.get(tp), end.get(tp)));
      });
      long deadline = System.nanoTime() + 30_000_000_000L;
      while (all.stream().anyMatch(tp -> c.position(tp) < end.get(tp))) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException("nothing more of " + topic + " after " + got.size() + " records");
        }
        for (ConsumerRecord<byte[], byte[]> r : c.poll(Duration.ofMillis(200))) {
          got.add(List.of(r.partition(), r.offset(), r.timestamp(), r.leaderEpoch().orElse(-1), Digest.of(r)));
        }
      }
    }
    return Map.of("bounds", bounds, "records", got);
  }

  /** Gives for each partition the offsets at some times, and of the greatest time. */
  private Object times(JsonNode q) throws Exception {
    String topic = q.get("topic").asText();
    Map<String, Object> out = new LinkedHashMap<>();
    for (int p = 0; p < q.get("partitions").asInt(); p++) {
      TopicPartition tp = new TopicPartition(topic, p);
      List<Object> found = new ArrayList<>();
      for (JsonNode t : q.get("times")) {
        found.add(where(tp, OffsetSpec.forTimestamp(t.asLong())));
      }
      found.add(where(tp, OffsetSpec.maxTimestamp()));
      found.add(where(tp, OffsetSpec.earliest()));
      found.add(where(tp, OffsetSpec.latest()));
      out.put(String.valueOf(p), found);
    }
    return out;
  }

  private List<Long> where(TopicPartition tp, OffsetSpec spec) throws Exception {
    ListOffsetsResultInfo i = admin.listOffsets(Map.of(tp, spec)).partitionResult(tp).get();
    return List.of(i.offset(), i.timestamp(), (long) i.leaderEpoch().orElse(-1));
  }

  private Object deleteRecords(JsonNode q) throws Exception {
    TopicPartition tp = new TopicPartition(q.get("topic").asText(), q.get("partition").asInt());
    return admin.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(q.get("before").asLong()))).lowWatermarks().get(tp).get().lowWatermark();
  }
}
