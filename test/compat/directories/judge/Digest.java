import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** A record's key, value and headers in 16 hex digits: the rule is in ../record.go. */
final class Digest {
  private static String text(byte[] b) {
    return b == null ? "~" : HexFormat.of().formatHex(b);
  }

  static String of(ConsumerRecord<byte[], byte[]> r) throws Exception {
    StringBuilder line = new StringBuilder(text(r.key())).append('|').append(text(r.value()));
    for (Header h : r.headers()) {
      line.append('|').append(h.key()).append('=').append(text(h.value()));
    }
    byte[] sum = MessageDigest.getInstance("SHA-256").digest(line.toString().getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(sum).substring(0, 16);
  }

  private Digest() {}
}
