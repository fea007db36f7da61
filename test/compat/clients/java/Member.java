import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A member of a group: ../golang/contract/member.go says what it is told and what it prints. */
final class Member implements ConsumerRebalanceListener {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final KafkaConsumer<String, String> consumer;
  private final JsonNode told;

  private Member(String bootstrap, JsonNode told) {
    this.told = told;
    Map<String, Object> c = new HashMap<>();
    c.put("bootstrap.servers", bootstrap);
    c.put("group.id", told.get("group").asText());
    c.put("auto.offset.reset", "earliest");
    c.put("enable.auto.commit", told.get("commit").asText().equals("auto"));
    c.put("auto.commit.interval.ms", 500);
    c.put("fetch.max.wait.ms", 100);
    c.put("reconnect.backoff.max.ms", 200);
    if (!told.get("instance").asText().isEmpty()) {
      c.put("group.instance.id", told.get("instance").asText());
    }
    String mode = told.get("mode").asText();
    if (mode.equals("consumer")) {
      c.put("group.protocol", "consumer");
    } else {
      c.put("session.timeout.ms", told.get("sessionMs").asInt());
      c.put("heartbeat.interval.ms", 500);
      c.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer."
          + (mode.equals("cooperative") ? "CooperativeStickyAssignor" : "RangeAssignor"));
    }
    consumer = new KafkaConsumer<>(c, new StringDeserializer(), new StringDeserializer());
  }

  static void main(String bootstrap) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    Member m = new Member(bootstrap, JSON.readTree(in.readLine()));
    AtomicBoolean leave = new AtomicBoolean();
    Thread listener = new Thread(() -> {
      try {
        if (in.readLine() == null) {
          Runtime.getRuntime().halt(1);
        }
        leave.set(true);
      } catch (java.io.IOException e) {
        Runtime.getRuntime().halt(1);
      }
    });
    listener.setDaemon(true);
    listener.start();
    try {
      m.run(leave);
      say("left", true);
    } catch (Exception e) {
      e.printStackTrace();
      say("error", e.toString());
      System.exit(1);
    }
    System.exit(0);
  }

  private void run(AtomicBoolean leave) {
    consumer.subscribe(List.of(told.get("topic").asText()), this);
    while (!leave.get()) {
      List<Object> read = new ArrayList<>();
      Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
      for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
        read.add(List.of(r.partition(), r.offset(), r.value()));
        next.put(new TopicPartition(r.topic(), r.partition()), new OffsetAndMetadata(r.offset() + 1));
      }
      if (!read.isEmpty()) {
        say("read", read);
        commit(next);
      }
    }
    consumer.close();
  }

  private void commit(Map<TopicPartition, OffsetAndMetadata> next) {
    switch (told.get("commit").asText()) {
      case "sync" -> {
        try {
          consumer.commitSync(next, Duration.ofSeconds(5));
          committed(next);
        } catch (CommitFailedException | RebalanceInProgressException | TimeoutException e) {
          // a rebalance came before, or the server is away: it is read again
        }
      }
      case "async" -> consumer.commitAsync(next, (offsets, e) -> {
        if (e == null) {
          committed(offsets);
        }
      });
      default -> { }
    }
  }

  private static void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
    Map<String, Long> out = new HashMap<>();
    offsets.forEach((p, o) -> out.put(String.valueOf(p.partition()), o.offset()));
    say("committed", out);
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> some) {
    owns("assigned", some);
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> some) {
    owns("revoked", some);
  }

  private static void owns(String word, Collection<TopicPartition> some) {
    if (!some.isEmpty()) {
      say(word, some.stream().map(TopicPartition::partition).toList());
    }
  }

  private static synchronized void say(String word, Object what) {
    try {
      System.out.println(JSON.writeValueAsString(Map.of(word, what)));
      System.out.flush();
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
