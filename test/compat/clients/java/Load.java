import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes and reads until standard input ends: ../golang/contract/load.go says the rules. */
final class Load {
  private static final int PARTITIONS = 3;

  private final String bootstrap;
  private final String topic;
  private final long[] next = new long[PARTITIONS];
  private final List<String> errors = new ArrayList<>();
  private long acked;
  private long read;
  private long again;
  private long slowest;
  private long gap;

  private Load(String bootstrap, String topic) {
    this.bootstrap = bootstrap;
    this.topic = topic;
  }

  static Object run(String bootstrap, String topic) throws Exception {
    Load l = new Load(bootstrap, topic);
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch drained = new CountDownLatch(1);
    Thread listener = new Thread(() -> {
      try {
        System.in.read();
      } catch (java.io.IOException e) {
        // the same as its end
      }
      stop.countDown();
    });
    listener.setDaemon(true);
    listener.start();
    Thread reader = new Thread(() -> l.read(drained));
    reader.start();
    l.write(stop);
    drained.countDown();
    reader.join();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("acked", l.acked);
    out.put("read", l.read);
    out.put("again", l.again);
    out.put("slowestMs", l.slowest);
    out.put("gapMs", l.gap);
    out.put("errors", l.errors);
    return out;
  }

  private synchronized void fault(String text) {
    if (errors.size() < 10) {
      errors.add(text);
    }
  }

  private void write(CountDownLatch stop) throws Exception {
    Map<String, Object> config = Map.of("bootstrap.servers", bootstrap);
    try (KafkaProducer<String, String> p = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
      for (long n = 0; n == 0 || !stop.await(10, java.util.concurrent.TimeUnit.MILLISECONDS); n++) {
        for (int i = 0; i < PARTITIONS; i++) {
          long began = System.nanoTime();
          p.send(new ProducerRecord<>(topic, i, null, i + ":" + n), (metadata, e) -> acked(System.nanoTime() - began, e));
        }
      }
      p.flush();
    }
  }

  private synchronized void acked(long nanos, Exception e) {
    if (e != null) {
      fault("produce: " + e);
      return;
    }
    acked++;
    slowest = Math.max(slowest, nanos / 1_000_000);
  }

  private void read(CountDownLatch drained) {
    Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "group.id", topic, "auto.offset.reset", "earliest", "fetch.max.wait.ms", 100);
    try (KafkaConsumer<String, String> c = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      c.subscribe(List.of(topic));
      long last = 0;
      long end = 0;
      while (end == 0 || System.nanoTime() < end) {
        int got = 0;
        try {
          for (ConsumerRecord<String, String> r : c.poll(Duration.ofMillis(200))) {
            take(r);
            got++;
          }
        } catch (Exception e) {
          fault("consume: " + e);
        }
        synchronized (this) {
          if (got > 0) {
            gap = last == 0 ? 0 : Math.max(gap, (System.nanoTime() - last) / 1_000_000);
            last = System.nanoTime();
          }
          if (drained.getCount() == 0) {
            if (read >= acked) {
              return;
            }
            end = end == 0 ? System.nanoTime() + 30_000_000_000L : end;
          }
        }
      }
    }
  }

  private synchronized void take(ConsumerRecord<String, String> r) {
    String want = r.partition() + ":" + r.offset();
    if (!r.value().equals(want)) {
      fault("read " + r.value() + " at " + want);
    }
    if (r.offset() < next[r.partition()]) {
      again++;
      return;
    }
    if (r.offset() > next[r.partition()]) {
      fault("skipped " + next[r.partition()] + " to " + (r.offset() - 1) + " of partition " + r.partition());
    }
    next[r.partition()] = r.offset() + 1;
    read++;
  }
}
