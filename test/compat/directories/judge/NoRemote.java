import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.server.log.remote.storage.LogSegmentData;
import org.apache.kafka.server.log.remote.storage.RemoteLogSegmentMetadata;
import org.apache.kafka.server.log.remote.storage.RemoteLogSegmentMetadata.CustomMetadata;
import org.apache.kafka.server.log.remote.storage.RemoteStorageManager;

/** Remote storage that forgets everything: with it Kafka lets a topic be tiered. */
public final class NoRemote implements RemoteStorageManager {
  @Override
  public void configure(Map<String, ?> configs) {}

  @Override
  public Optional<CustomMetadata> copyLogSegmentData(RemoteLogSegmentMetadata m, LogSegmentData d) {
    return Optional.empty();
  }

  @Override
  public InputStream fetchLogSegment(RemoteLogSegmentMetadata m, int from) {
    return new ByteArrayInputStream(new byte[0]);
  }

  @Override
  public InputStream fetchLogSegment(RemoteLogSegmentMetadata m, int from, int to) {
    return new ByteArrayInputStream(new byte[0]);
  }

  @Override
  public InputStream fetchIndex(RemoteLogSegmentMetadata m, IndexType t) {
    return new ByteArrayInputStream(new byte[0]);
  }

  @Override
  public void deleteLogSegmentData(RemoteLogSegmentMetadata m) {}

  @Override
  public void close() {}
}
