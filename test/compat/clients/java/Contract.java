import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;

/** The records to send, the digest, and one JSON line a step: the rules are in ../golang/contract. */
final class Contract {
  /** Servers come and go: what the suite says of them. */
  static final boolean HURT = System.getenv("COMPAT_HURT") != null;
  static final ObjectMapper JSON = new ObjectMapper();

  /** A record as sent or as read; null is null. */
  record Rec(int partition, long offset, long ms, byte[] key, byte[] value, List<Map.Entry<String, byte[]>> headers) {}

  /** An expected refusal that did not come. */
  static final class Accepted extends Exception {
    Accepted() { super("accepted"); }
  }

  /** Reads records.jsonl and numbers the records of each partition from 0, as a new topic will. */
  static List<Rec> load(Path dir) throws Exception {
    Map<Integer, Long> next = new HashMap<>();
    List<Rec> all = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(dir.resolve("records.jsonl"))) {
      for (String line; (line = lines.readLine()) != null; ) {
        JsonNode n = JSON.readTree(line);
        int p = n.get("p").asInt();
        long offset = next.merge(p, 1L, Long::sum) - 1;
        List<Map.Entry<String, byte[]>> headers = new ArrayList<>();
        for (JsonNode h : n.get("h")) {
          headers.add(new HashMap.SimpleEntry<>(h.get(0).asText(), bytes(h.get(1))));
        }
        all.add(new Rec(p, offset, n.get("t").asLong(), bytes(n.get("k")), bytes(n.get("v")), headers));
      }
    }
    return all;
  }

  private static byte[] bytes(JsonNode n) throws Exception {
    return n.isNull() ? null : n.binaryValue();
  }

  private static String text(byte[] b) {
    return b == null ? "~" : HexFormat.of().formatHex(b);
  }

  static Map<String, Object> digest(List<Rec> records) throws Exception {
    List<Rec> sorted = new ArrayList<>(records);
    sorted.sort(Comparator.comparingInt(Rec::partition).thenComparingLong(Rec::offset));
    MessageDigest content = MessageDigest.getInstance("SHA-256");
    MessageDigest loose = MessageDigest.getInstance("SHA-256"); // null taken for empty
    MessageDigest times = MessageDigest.getInstance("SHA-256");
    for (Rec r : sorted) {
      StringBuilder headers = new StringBuilder();
      for (Map.Entry<String, byte[]> h : r.headers()) {
        headers.append(h.getKey()).append('=').append(text(h.getValue())).append(';');
      }
      String place = r.partition() + "|" + r.offset() + "|";
      String line = place + text(r.key()) + "|" + text(r.value()) + "|" + headers + "\n";
      content.update(line.getBytes(StandardCharsets.UTF_8));
      loose.update(line.replace("~", "").getBytes(StandardCharsets.UTF_8));
      times.update((place + r.ms() + "\n").getBytes(StandardCharsets.UTF_8));
    }
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("count", sorted.size());
    out.put("hash", HexFormat.of().formatHex(content.digest()).substring(0, 16));
    out.put("loose", HexFormat.of().formatHex(loose.digest()).substring(0, 16));
    out.put("times", HexFormat.of().formatHex(times.digest()).substring(0, 16));
    return out;
  }

  /** Runs a step and prints its line. */
  static void step(String name, Callable<Object> f) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", name);
    try {
      int[] tries = {0};
      line.put("result", tried(name, f, tries));
      if (tries[0] > 1) {
        line.put("tries", tries[0]);
      }
    } catch (Exception e) {
      Throwable cause = Client.cause(e);
      line.put("error", cause.toString());
      Integer code = Client.code(cause);
      if (code != null) {
        line.put("code", code);
      }
    }
    try {
      System.out.println(JSON.writeValueAsString(line));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Where servers come and go, a step whose library gave up is tried again for a while, as its user would; but for those that write,
   * since what is written twice is there twice.
   */
  private static Object tried(String step, Callable<Object> f, int[] tries) throws Exception {
    long began = System.nanoTime();
    while (true) {
      tries[0]++;
      try {
        return f.call();
      } catch (Exception e) {
        if (!HURT || step.startsWith("produce/") || System.nanoTime() - began > 20_000_000_000L) {
          throw e;
        }
      }
      Thread.sleep(200);
    }
  }

  /** Turns an expected refusal into a result: the error's code. */
  static Object refused(Callable<?> f) throws Exception {
    try {
      f.call();
    } catch (Exception e) {
      Integer code = Client.code(Client.cause(e));
      if (code == null) {
        throw e;
      }
      return Map.of("code", code);
    }
    throw new Accepted();
  }

  /** Repeats f until it gives what is wanted: metadata takes some milliseconds to become visible. */
  static <T> T eventually(Predicate<T> want, Callable<T> f) throws Exception {
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (true) {
      try {
        T got = f.call();
        if (want.test(got) || System.nanoTime() > deadline) {
          return got;
        }
      } catch (Exception e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
      }
      Thread.sleep(20);
    }
  }

  private Contract() {}
}
