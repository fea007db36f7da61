import java.time.Duration;
import java.util.*;
import java.util.concurrent.atomic.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.*;

/**
 * Writes numbers from 1 on to each partition of a topic, and reads them in a group, until its input ends: `Load BOOTSTRAP TOPIC PARTITIONS`.
 * Prints "writes" when each partition has a record, and in the end what was acknowledged, a JSON array by partition; each error is a line before that.
 */
public class Load {
    static final AtomicBoolean ending = new AtomicBoolean();

    public static void main(String[] args) throws Exception {
        String bootstrap = args[0], topic = args[1];
        int partitions = Integer.parseInt(args[2]);
        AtomicLongArray acked = new AtomicLongArray(partitions);
        Thread producer = new Thread(() -> produce(bootstrap, topic, acked));
        Thread consumer = new Thread(() -> consume(bootstrap, topic, acked, producer));
        producer.start();
        consumer.start();
        for (int i = 0; i < partitions; i++) while (acked.get(i) == 0) Thread.sleep(5);
        System.out.println("writes");
        System.out.flush();
        while (System.in.read() >= 0) { }
        ending.set(true);
        producer.join();
        consumer.join();
        System.out.println(acked);
    }

    static void produce(String bootstrap, String topic, AtomicLongArray acked) {
        Map<String, Object> o = Map.of("bootstrap.servers", bootstrap, "acks", "all", "linger.ms", 0, "retry.backoff.ms", 20, "retry.backoff.max.ms", 100,
            "reconnect.backoff.ms", 20, "reconnect.backoff.max.ms", 100);
        long[] sent = new long[acked.length()];
        try (Producer<byte[], Long> p = new KafkaProducer<>(o, new ByteArraySerializer(), new LongSerializer())) {
            while (!ending.get()) {
                for (int i = 0; i < sent.length; i++) {
                    int partition = i;
                    long n = ++sent[i];
                    p.send(new ProducerRecord<>(topic, i, null, n), (m, e) -> {
                        if (e != null) fail("send " + partition + ":" + n, e);
                        else acked.set(partition, n);
                    });
                }
                Thread.sleep(5);
            }
        } catch (Exception e) {
            fail("produce", e);
        }
    }

    static void consume(String bootstrap, String topic, AtomicLongArray acked, Thread producer) {
        Map<String, Object> o = Map.of("bootstrap.servers", bootstrap, "group.id", "java", "auto.offset.reset", "earliest", "enable.auto.commit", false,
            "retry.backoff.ms", 20, "reconnect.backoff.ms", 20, "reconnect.backoff.max.ms", 100);
        long[] read = new long[acked.length()];
        try (Consumer<byte[], Long> c = new KafkaConsumer<>(o, new ByteArrayDeserializer(), new LongDeserializer())) {
            c.subscribe(List.of(topic));
            for (long until = Long.MAX_VALUE; System.currentTimeMillis() < until; ) {
                for (ConsumerRecord<byte[], Long> r : c.poll(Duration.ofMillis(100))) {
                    if (r.value() != read[r.partition()] + 1) fail("read " + r.partition() + ":" + r.value() + " after " + read[r.partition()], null);
                    read[r.partition()] = r.value();
                }
                c.commitSync();
                if (producer.isAlive()) continue;
                if (until == Long.MAX_VALUE) until = System.currentTimeMillis() + 30_000;
                boolean all = true;
                for (int i = 0; i < read.length; i++) all &= read[i] >= acked.get(i);
                if (all) return;
            }
            fail("read " + Arrays.toString(read) + " in the end", null);
        } catch (Exception e) {
            fail("consume", e);
        }
    }

    static synchronized void fail(String what, Exception e) {
        System.out.println((what + (e == null ? "" : ": " + e)).replace('\n', ' '));
    }
}
