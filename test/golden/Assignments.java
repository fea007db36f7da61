import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.*;
import org.apache.kafka.coordinator.group.modern.*;

/**
 * Prints what Apache Kafka's assignors make of random groups, for internal/group/assignor/testdata/kafka.txt. Each group is
 * assigned several times, with the target of the time before, while members come and go and topics grow. Members and topics
 * are given to the assignors in order; ids of topics are so small that they come out of a HashSet in order as well.
 *
 *   java -cp 'server/*' test/golden/Assignments.java > internal/group/assignor/testdata/kafka.txt
 */
public class Assignments {
    record Member(String instance, TreeSet<Integer> topics) {}

    static final Random random = new Random(848);

    public static void main(String[] args) {
        for (int group = 0; group < 120; group++) {
            String name = group % 3 == 0 ? "range" : "uniform";
            PartitionAssignor assignor = name.equals("range") ? new RangeAssignor() : new UniformAssignor();
            boolean alike = random.nextInt(3) == 0;
            TreeMap<Integer, Integer> topics = new TreeMap<>();
            int wanted = 1 + random.nextInt(4);
            while (topics.size() < wanted) topics.put(1 + random.nextInt(9), 1 + random.nextInt(9));
            TreeMap<String, Member> members = new TreeMap<>();
            Map<String, Map<Integer, TreeSet<Integer>>> targets = new HashMap<>();
            for (int round = 0; round < 4; round++) {
                change(topics, members, targets, alike, round);
                System.out.printf("%s %s%n", name, alike ? "alike" : "unlike");
                System.out.println("topics" + text(topics));
                for (var m : members.entrySet())
                    System.out.printf("member %s %s %s %s%n", m.getKey(), m.getValue().instance, list(m.getValue().topics),
                        assignment(targets.getOrDefault(m.getKey(), Map.of())));
                targets = assign(assignor, topics, members, targets, alike);
                for (var m : members.keySet()) System.out.printf("= %s %s%n", m, assignment(targets.getOrDefault(m, Map.of())));
                System.out.println();
            }
        }
    }

    static void change(TreeMap<Integer, Integer> topics, TreeMap<String, Member> members,
                       Map<String, Map<Integer, TreeSet<Integer>>> targets, boolean alike, int round) {
        if (random.nextInt(3) == 0) topics.computeIfPresent(topics.firstKey(), (id, n) -> n + random.nextInt(4));
        for (String id : new ArrayList<>(members.keySet()))
            if (random.nextInt(4) == 0) {
                members.remove(id);
                targets.remove(id);
            }
        int wanted = round == 0 ? 1 + random.nextInt(6) : members.size() + random.nextInt(4);
        while (members.size() < Math.max(1, wanted)) {
            String id = "m" + (char) ('a' + random.nextInt(26)) + random.nextInt(10);
            if (!members.containsKey(id)) members.put(id, new Member(random.nextInt(4) == 0 ? "i" + id.charAt(2) + id : null, null));
        }
        TreeSet<Integer> shared = some(topics);
        for (String id : members.keySet())
            if (alike || members.get(id).topics == null || random.nextInt(5) == 0)
                members.put(id, new Member(members.get(id).instance, alike ? shared : some(topics)));
    }

    static TreeSet<Integer> some(TreeMap<Integer, Integer> topics) {
        TreeSet<Integer> chosen = new TreeSet<>();
        for (int id : topics.keySet()) if (random.nextInt(4) > 0) chosen.add(id);
        return chosen;
    }

    static Map<String, Map<Integer, TreeSet<Integer>>> assign(PartitionAssignor assignor, TreeMap<Integer, Integer> topics,
            TreeMap<String, Member> members, Map<String, Map<Integer, TreeSet<Integer>>> targets, boolean alike) {
        TreeMap<String, MemberSubscriptionAndAssignmentImpl> specs = new TreeMap<>();
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        for (var m : members.entrySet()) {
            Set<Uuid> subscribed = new LinkedHashSet<>();
            for (int t : m.getValue().topics) subscribed.add(new Uuid(0, t));
            Map<Uuid, Set<Integer>> target = new LinkedHashMap<>();
            for (var t : targets.getOrDefault(m.getKey(), Map.of()).entrySet()) {
                target.put(new Uuid(0, t.getKey()), t.getValue());
                for (int p : t.getValue()) inverted.computeIfAbsent(new Uuid(0, t.getKey()), k -> new HashMap<>()).put(p, m.getKey());
            }
            specs.put(m.getKey(), new MemberSubscriptionAndAssignmentImpl(Optional.empty(),
                Optional.ofNullable(m.getValue().instance), subscribed, new Assignment(Collections.unmodifiableMap(target))));
        }
        GroupAssignment result = assignor.assign(
            new GroupSpecImpl(specs, alike ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS, inverted),
            new SubscribedTopicDescriber() {
                public int numPartitions(Uuid id) { return topics.getOrDefault((int) id.getLeastSignificantBits(), -1); }
                public Set<String> racksForPartition(Uuid id, int partition) { return Set.of(); }
                public Set<Integer> assignablePartitions(Uuid id) { throw new UnsupportedOperationException(); }
            });
        Map<String, Map<Integer, TreeSet<Integer>>> made = new HashMap<>();
        result.members().forEach((id, a) -> {
            TreeMap<Integer, TreeSet<Integer>> mine = new TreeMap<>();
            a.partitions().forEach((t, ps) -> mine.put((int) t.getLeastSignificantBits(), new TreeSet<>(ps)));
            made.put(id, mine);
        });
        return made;
    }

    static String text(TreeMap<Integer, Integer> topics) {
        StringBuilder b = new StringBuilder();
        topics.forEach((id, n) -> b.append(" ").append(id).append(":").append(n));
        return b.toString();
    }

    static String list(Collection<Integer> ids) {
        StringJoiner j = new StringJoiner(",", "[", "]");
        ids.forEach(id -> j.add(String.valueOf(id)));
        return j.toString();
    }

    static String assignment(Map<Integer, TreeSet<Integer>> a) {
        if (a.isEmpty()) return "-";
        StringJoiner j = new StringJoiner(";");
        new TreeMap<>(a).forEach((id, ps) -> j.add(id + ":" + list(ps)));
        return j.toString();
    }
}
