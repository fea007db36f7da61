import java.lang.reflect.Proxy;
import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.common.runtime.CoordinatorMetadataImage;
import org.apache.kafka.coordinator.group.Utils;

/**
 * Prints the hashes that Apache Kafka makes of topics and of groups (KIP-1101), for internal/group/modern/hash_test.go.
 *
 *   java -cp 'server/*' test/golden/GroupHash.java
 */
public class GroupHash {
    public static void main(String[] args) {
        System.out.printf("plain %x%n", topic("plain", new Uuid(1, 2), List.of(List.of(), List.of())));
        System.out.printf("racks %x%n", topic("racks", new Uuid(-3, 4), List.of(List.of("b", "a"), List.of("zürich", "b"), List.of())));
        System.out.printf("empty %x%n", topic("empty", new Uuid(5, 6), List.of()));
        System.out.printf("group %x%n", Utils.computeGroupHash(Map.of(
            "plain", topic("plain", new Uuid(1, 2), List.of(List.of(), List.of())), "empty", topic("empty", new Uuid(5, 6), List.of()))));
        System.out.printf("none %x%n", Utils.computeGroupHash(Map.of()));
    }

    static long topic(String name, Uuid id, List<List<String>> racks) {
        Object topic = Proxy.newProxyInstance(GroupHash.class.getClassLoader(), new Class<?>[] {CoordinatorMetadataImage.TopicMetadata.class},
            (self, method, a) -> switch (method.getName()) {
                case "name" -> name;
                case "id" -> id;
                case "partitionCount" -> racks.size();
                case "partitionRacks" -> new ArrayList<>(racks.get((int) a[0]));
                default -> throw new UnsupportedOperationException(method.getName());
            });
        CoordinatorMetadataImage image = (CoordinatorMetadataImage) Proxy.newProxyInstance(GroupHash.class.getClassLoader(),
            new Class<?>[] {CoordinatorMetadataImage.class}, (self, method, a) -> Optional.of(topic));
        return Utils.computeTopicHash(name, image);
    }
}
