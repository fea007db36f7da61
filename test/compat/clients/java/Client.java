import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Apache Kafka's own Java client in the suite of foreign clients. */
public final class Client {
  private static final String NAME = "java";
  private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
  // The data set's timestamps lie in the past, and retention must not take them.
  /** Of each topic; what the suite says of the servers. */
  private static final int REPLICAS = Integer.parseInt(System.getenv().getOrDefault("COMPAT_REPLICAS", "1"));
  private static final Map<String, String> KEEP = Map.of("retention.ms", "-1");

  private final String bootstrap;
  private final List<Contract.Rec> records;
  private final Admin admin;
  private final KafkaConsumer<byte[], byte[]> consumer;

  private Client(String bootstrap, Path dir) throws Exception {
    this.bootstrap = bootstrap;
    records = Contract.load(dir);
    admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", 20000, "request.timeout.ms", 10000));
    // Without a group: assign() alone.
    consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "none",
        "enable.auto.commit", false, "allow.auto.create.topics", false, "fetch.max.wait.ms", 50,
        "default.api.timeout.ms", 5000, "request.timeout.ms", 4000),
        new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      System.err.println("usage: Client BOOTSTRAP SCENARIO DIR");
      System.exit(2);
    }
    if (args[1].equals("member")) {
      Member.main(args[0]);
      return;
    }
    Path dir = Path.of(args[2]);
    Client c = new Client(args[0], dir);
    switch (args[1]) {
      case "full" -> c.full();
      case "read" -> {
        for (String t : Files.readString(dir.resolve("read.txt")).split("\\s+")) {
          Contract.step("read/" + t, () -> c.digest(t));
        }
      }
      case "load" -> Contract.step("load", () -> {
        c.create(c.topic("load"), 3, REPLICAS, KEEP);
        return Load.run(args[0], c.topic("load"));
      });
      default -> throw new IllegalArgumentException(args[1]);
    }
    c.consumer.close();
    c.admin.close();
  }

  /** The error that the server answered, inside what the client wraps around it. */
  static Throwable cause(Throwable e) {
    while ((e instanceof ExecutionException || e instanceof CompletionException) && e.getCause() != null) {
      e = e.getCause();
    }
    return e;
  }

  /** The protocol's code of an error, or null. */
  static Integer code(Throwable e) {
    if (e instanceof OffsetOutOfRangeException) {
      return (int) Errors.OFFSET_OUT_OF_RANGE.code(); // the consumer's own class, which Errors does not know
    }
    Errors found = Errors.forException(e);
    return found == Errors.UNKNOWN_SERVER_ERROR ? null : (int) found.code();
  }

  private static String topic(String suffix) {
    return NAME + "." + suffix;
  }

  private void full() {
    topics();
    produce();
    consume();
    seek();
    configs();
    shrink();
  }

  private Object create(String name, int partitions, int replication, Map<String, String> configs) throws Exception {
    return admin.createTopics(List.of(new NewTopic(name, partitions, (short) replication).configs(configs))).all().get();
  }

  private List<String> mine() throws Exception {
    return admin.listTopics().names().get().stream().filter(t -> t.startsWith(NAME + "."))
        .map(t -> t.substring(NAME.length() + 1)).sorted().toList();
  }

  private List<Map<String, Object>> describe(String topic) throws Exception {
    TopicDescription d = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    List<Map<String, Object>> out = new ArrayList<>();
    for (TopicPartitionInfo p : d.partitions()) {
      out.add(new TreeMap<>(Map.of("partition", p.partition(), "leader", p.leader().id(),
          "replicas", p.replicas().size(), "isr", p.isr().size())));
    }
    return out;
  }

  private void topics() {
    Contract.step("cluster", () -> Map.of("brokers", admin.describeCluster().nodes().get().size()));
    List<String> wanted = new ArrayList<>(CODECS);
    wanted.addAll(List.of("main", "acks0", "acks1", "idempotent"));
    Contract.step("create", () -> {
      for (String t : wanted) {
        create(topic(t), 3, REPLICAS, KEEP);
      }
      return wanted.size();
    });
    Contract.step("create/duplicate", () -> Contract.refused(() -> create(topic("main"), 3, REPLICAS, KEEP)));
    Contract.step("create/bad-name", () -> Contract.refused(() -> create("bad name!", 3, REPLICAS, KEEP)));
    Contract.step("create/bad-replication", () -> Contract.refused(() -> create(topic("rf"), 3, REPLICAS + 2, KEEP)));
    Contract.step("create/bad-config", () -> Contract.refused(() -> create(topic("cfg"), 3, REPLICAS, Map.of("no.such.key", "1"))));
    Contract.step("list", () -> Contract.eventually(got -> got.size() == wanted.size(), this::mine));
    Contract.step("describe", () -> Contract.eventually(got -> got.size() == 3, () -> describe(topic("main"))));
  }

  private void send(String topic, List<Contract.Rec> what, String codec, String acks, boolean idempotent) throws Exception {
    Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "compression.type", codec,
        "acks", acks, "enable.idempotence", idempotent, "max.in.flight.requests.per.connection", 1,
        "max.request.size", 4 << 20, "linger.ms", 5, "delivery.timeout.ms", 20000, "request.timeout.ms", 15000));
    try (KafkaProducer<byte[], byte[]> p = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (Contract.Rec r : what) {
        List<Header> headers = new ArrayList<>();
        r.headers().forEach(h -> headers.add(new RecordHeader(h.getKey(), h.getValue())));
        sent.add(p.send(new ProducerRecord<>(topic, r.partition(), r.ms(), r.key(), r.value(), headers)));
      }
      for (Future<RecordMetadata> f : sent) {
        f.get();
      }
    }
  }

  private void produce() {
    for (String codec : CODECS) {
      produce("produce/" + codec, codec, codec, "all", false);
    }
    produce("produce/acks0", "acks0", "none", "0", false);
    produce("produce/acks1", "acks1", "none", "1", false);
    produce("produce/idempotent", "idempotent", "none", "all", true);
    produce("produce/main", "main", "none", "all", false);
    byte[] huge = new byte[2 << 20];
    Arrays.fill(huge, (byte) 'x');
    Contract.Rec r = new Contract.Rec(0, 0, records.get(0).ms(), null, huge, List.of());
    Contract.step("produce/too-large", () -> Contract.refused(() -> {
      send(topic("main"), List.of(r), "none", "all", false);
      return null;
    }));
  }

  private void produce(String step, String suffix, String codec, String acks, boolean idempotent) {
    Contract.step(step, () -> {
      // What is sent again must not come twice.
      send(topic(suffix), records, codec, acks, idempotent || Contract.HURT && acks.equals("all"));
      return Contract.digest(records);
    });
  }

  private long[] bounds(String topic, int partition) {
    TopicPartition tp = new TopicPartition(topic, partition);
    return new long[] {consumer.beginningOffsets(Set.of(tp)).get(tp), consumer.endOffsets(Set.of(tp)).get(tp)};
  }

  private List<Contract.Rec> consume(String topic, int partition, long from, long end) {
    TopicPartition tp = new TopicPartition(topic, partition);
    consumer.assign(Set.of(tp));
    consumer.seek(tp, from);
    List<Contract.Rec> got = new ArrayList<>();
    long deadline = System.nanoTime() + 20_000_000_000L;
    while (System.nanoTime() < deadline) {
      for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofSeconds(1))) {
        if (r.offset() >= end) {
          return got;
        }
        List<Map.Entry<String, byte[]>> headers = new ArrayList<>();
        r.headers().forEach(h -> headers.add(new HashMap.SimpleEntry<>(h.key(), h.value())));
        got.add(new Contract.Rec(partition, r.offset(), r.timestamp(), r.key(), r.value(), headers));
        if (r.offset() == end - 1) {
          return got;
        }
      }
    }
    throw new IllegalStateException("nothing more after " + got.size() + " records");
  }

  private List<Contract.Rec> all(String topic, int partition) {
    long[] b = bounds(topic, partition);
    return b[0] == b[1] ? List.of() : consume(topic, partition, b[0], b[1]);
  }

  private Map<String, Object> digest(String topic) throws Exception {
    List<Contract.Rec> got = new ArrayList<>();
    for (int p = 0; p < 3; p++) {
      got.addAll(all(topic, p));
    }
    return Contract.digest(got);
  }

  private void consume() {
    List<String> read = new ArrayList<>(List.of("acks1", "idempotent", "main"));
    read.addAll(CODECS);
    for (String t : read) {
      Contract.step("consume/" + t, () -> digest(topic(t)));
    }
    Contract.step("consume/acks0", () -> Contract.eventually(got -> got.get("count").equals(records.size()),
        () -> digest(topic("acks0"))));
  }

  private void seek() {
    String main = topic("main");
    Contract.step("offsets", () -> List.of(bounds(main, 0), bounds(main, 1), bounds(main, 2)));
    Contract.step("seek/offset", () -> {
      List<Contract.Rec> got = consume(main, 1, 5, 9);
      return Map.of("first", got.get(0).offset(), "digest", Contract.digest(got));
    });
    Contract.step("seek/time", () -> {
      List<Long> t = records.stream().filter(r -> r.partition() == 1).map(Contract.Rec::ms).toList();
      TopicPartition tp = new TopicPartition(main, 1);
      List<Long> found = new ArrayList<>();
      for (long ms : List.of(t.get(0) - 1000, t.get(7), t.get(7) + 1, t.get(t.size() - 1) + 1000)) {
        OffsetAndTimestamp o = consumer.offsetsForTimes(Map.of(tp, ms)).get(tp);
        found.add(o == null ? -1 : o.offset());
      }
      return found;
    });
    Contract.step("consume/out-of-range", () -> Contract.refused(() -> consume(main, 0, 1_000_000, 1_000_001)));
    // The consumer waits for a topic that is not there; the admin client says so.
    Contract.step("consume/unknown-topic", () -> Contract.refused(() -> describe(topic("nowhere"))));
  }

  private Map<String, Object> config(String key) throws Exception {
    ConfigResource r = new ConfigResource(ConfigResource.Type.TOPIC, topic("main"));
    ConfigEntry e = admin.describeConfigs(List.of(r)).all().get().get(r).get(key);
    return Map.of("value", e.value(), "source", e.source().toString());
  }

  private Object setConfig(String key, String value) throws Exception {
    ConfigResource r = new ConfigResource(ConfigResource.Type.TOPIC, topic("main"));
    Collection<AlterConfigOp> ops = List.of(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET));
    return admin.incrementalAlterConfigs(Map.of(r, ops)).all().get();
  }

  private void configs() {
    Contract.step("configs/set-at-creation", () -> config("retention.ms"));
    Contract.step("configs/default", () -> config("segment.bytes"));
    Contract.step("configs/alter", () -> {
      setConfig("retention.bytes", "123456789");
      return Contract.eventually(got -> got.get("value").equals("123456789"), () -> config("retention.bytes"));
    });
    Contract.step("configs/alter-bad-value", () -> Contract.refused(() -> setConfig("segment.bytes", "-5")));
  }

  private Object grow(int total) throws Exception {
    return admin.createPartitions(Map.of(topic("main"), NewPartitions.increaseTo(total))).all().get();
  }

  private long deleteBefore(long offset) throws Exception {
    TopicPartition tp = new TopicPartition(topic("main"), 0);
    return admin.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(offset))).lowWatermarks().get(tp).get().lowWatermark();
  }

  private void shrink() {
    String main = topic("main");
    Contract.step("partitions/create", () -> {
      grow(5);
      return Contract.eventually(n -> n == 5, () -> describe(main).size());
    });
    Contract.step("partitions/fewer", () -> Contract.refused(() -> grow(2)));
    Contract.step("records/delete", () -> Map.of("low", deleteBefore(7)));
    Contract.step("records/after", () -> {
      List<Contract.Rec> got = all(main, 0);
      return Map.of("start", bounds(main, 0)[0], "first", got.get(0).offset(), "digest", Contract.digest(got));
    });
    Contract.step("records/too-far", () -> Contract.refused(() -> deleteBefore(1_000_000)));
    Contract.step("delete", () -> {
      if (!Contract.HURT || mine().contains("main")) { // else a try before this one took it, and its answer was lost
        admin.deleteTopics(List.of(main)).all().get();
      }
      return Contract.eventually(got -> !got.contains("main"), this::mine);
    });
    Contract.step("delete/unknown", () -> Contract.refused(() -> admin.deleteTopics(List.of(topic("never"))).all().get()));
  }
}
