package kafkatools

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
)

// anyDir in a list of directories leaves the choice to the broker.
const anyDir = "any"

// wanted is a partition and the replicas that a file wants for it.
type wanted struct {
	kafka.TopicPartition
	replicas []int32
}

// wantedFile is a file of reassignments: partitions in its order, and the directories that it names.
type wantedFile struct {
	partitions []wanted
	dirs       map[replicaID]string
}

// parseReassignments reads a file of reassignments. The same partition may come twice.
func parseReassignments(text []byte) (wantedFile, error) {
	f := wantedFile{dirs: map[replicaID]string{}}
	if len(text) == 0 {
		return f, errors.New("The input string shouldn't be empty")
	}
	root, err := parseJSON(text)
	if err != nil {
		return f, err
	}
	partitions, err := root.versionOne("partitions")
	if err != nil {
		return f, err
	}
	for _, p := range partitions {
		if err := f.add(p); err != nil {
			return f, err
		}
	}
	return f, nil
}

// add adds one partition of the file.
func (f *wantedFile) add(p jsonNode) error {
	var w wanted
	var err error
	if w.Topic, err = field(p, "topic", jsonNode.text); err != nil {
		return err
	}
	if w.Partition, err = field(p, "partition", jsonNode.integer); err != nil {
		return err
	}
	if w.replicas, err = field(p, "replicas", listOfNodes(jsonNode.integer)); err != nil {
		return err
	}
	f.partitions = append(f.partitions, w)
	members, err := p.object()
	if err != nil {
		return err
	}
	node, there := members["log_dirs"]
	if !there {
		return nil
	}
	dirs, err := listOfNodes(jsonNode.text)(node)
	if err != nil {
		return err
	}
	if len(dirs) != len(w.replicas) {
		return fmt.Errorf("Size of replicas list [%s] is different from size of log dirs list [%s] for partition %s",
			joinInts(w.replicas, ", "), strings.Join(dirs, ", "), w.TopicPartition)
	}
	for i, dir := range dirs {
		if dir != anyDir {
			f.dirs[replicaID{w.TopicPartition, w.replicas[i]}] = dir
		}
	}
	return nil
}

// targets are the replicas by partition. A file that --execute can't follow is refused.
func (f wantedFile) targets() (map[kafka.TopicPartition][]int32, error) {
	if len(f.partitions) == 0 {
		return nil, errors.New("Partition reassignment list cannot be empty")
	}
	if slices.ContainsFunc(f.partitions, func(w wanted) bool { return len(w.replicas) == 0 }) {
		return nil, errors.New("Partition replica list cannot be empty")
	}
	to := map[kafka.TopicPartition][]int32{}
	var all []kafka.TopicPartition
	var repeated []string
	for _, w := range f.partitions {
		all, to[w.TopicPartition] = append(all, w.TopicPartition), w.replicas
		if twice := java.HashOrder(repeats(w.replicas), java.HashInt); len(twice) > 0 {
			repeated = append(repeated, fmt.Sprintf("%s contains multiple entries for %s", w.TopicPartition, joinInts(twice, ",")))
		}
	}
	if twice := repeats(all); len(twice) > 0 {
		return nil, errors.New("Partition reassignment contains duplicate topic partitions: " + joinPartitions(partitionOrder(twice), ","))
	}
	if repeated != nil {
		return nil, errors.New("Partition replica lists may not contain duplicate entries: " + strings.Join(repeated, ". "))
	}
	return to, nil
}

// repeats are the items that come more than once, each once.
func repeats[T comparable](all []T) []T {
	var twice []T
	count := map[T]int{}
	for _, item := range all {
		if count[item]++; count[item] == 2 {
			twice = append(twice, item)
		}
	}
	return twice
}

// distinct are the items without those that came before.
func distinct[T comparable](all []T) []T {
	seen := map[T]bool{}
	return slices.DeleteFunc(slices.Clone(all), func(item T) bool {
		again := seen[item]
		seen[item] = true
		return again
	})
}

func joinPartitions(all []kafka.TopicPartition, sep string) string {
	words := make([]string, len(all))
	for i, tp := range all {
		words[i] = tp.String()
	}
	return strings.Join(words, sep)
}

// parseTopicsToMove reads the file of --generate.
func parseTopicsToMove(text []byte) ([]string, error) {
	root, err := parseJSON(text)
	if err != nil || len(text) == 0 {
		return nil, errors.New("The input string is not a valid JSON")
	}
	nodes, err := root.versionOne("topics")
	if err != nil {
		return nil, err
	}
	var topics []string
	for _, n := range nodes {
		topic, err := field(n, "topic", jsonNode.text)
		if err != nil {
			return nil, err
		}
		topics = append(topics, topic)
	}
	if twice := repeats(topics); len(twice) > 0 {
		return nil, fmt.Errorf("List of topics to reassign contains duplicate entries: [%s]", strings.Join(java.StringOrder(twice), ", "))
	}
	return topics, nil
}

// parseBrokers reads the list of --broker-list.
func parseBrokers(list string) ([]int32, error) {
	words := strings.Split(list, ",")
	for len(words) > 1 && words[len(words)-1] == "" {
		words = words[:len(words)-1]
	}
	var brokers []int32
	for _, word := range words {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("For input string: %q", word)
		}
		brokers = append(brokers, int32(n))
	}
	if twice := repeats(brokers); len(twice) > 0 {
		return nil, fmt.Errorf("Broker list contains duplicate entries: [%s]", joinInts(java.HashOrder(twice, java.HashInt), ", "))
	}
	return brokers, nil
}

// formatReassignments writes partitions and their replicas as a file of reassignments, with the directories where they are known.
func formatReassignments(all map[kafka.TopicPartition][]int32, dirs map[replicaID]replicaDirs) (string, error) {
	type entry struct {
		Topic     string   `json:"topic"`
		Partition int32    `json:"partition"`
		Replicas  []int32  `json:"replicas"`
		LogDirs   []string `json:"log_dirs"`
	}
	partitions := []entry{}
	for _, tp := range sortedPartitions(all) {
		e := entry{tp.Topic, tp.Partition, []int32{}, []string{}}
		for _, broker := range all[tp] {
			dir := dirs[replicaID{tp, broker}].current
			e.Replicas, e.LogDirs = append(e.Replicas, broker), append(e.LogDirs, cmp.Or(dir, anyDir))
		}
		partitions = append(partitions, e)
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // directories may have any name
	err := enc.Encode(struct {
		Version    int     `json:"version"`
		Partitions []entry `json:"partitions"`
	}{1, partitions})
	return strings.TrimSuffix(out.String(), "\n"), err
}

// jsonNode is a part of a JSON text, with the complaints of Kafka's reader when it is another than expected.
type jsonNode []byte

// parseJSON reads the first value of a text, as Java's reader does: what follows is not looked at.
func parseJSON(text []byte) (jsonNode, error) {
	var raw json.RawMessage
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&raw)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return jsonNode(raw), err
}

// String is the node without blanks.
func (n jsonNode) String() string {
	var out bytes.Buffer
	if json.Compact(&out, n) != nil {
		return string(n)
	}
	return out.String()
}

func (n jsonNode) object() (map[string]jsonNode, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(n, &members) != nil || members == nil {
		return nil, fmt.Errorf("Expected JSON object, received %s", n)
	}
	all := map[string]jsonNode{}
	for name, member := range members {
		all[name] = jsonNode(member)
	}
	return all, nil
}

func (n jsonNode) array() ([]jsonNode, error) {
	var items []json.RawMessage
	if json.Unmarshal(n, &items) != nil || items == nil {
		return nil, fmt.Errorf("Expected JSON array, received %s", n)
	}
	all := make([]jsonNode, len(items))
	for i, item := range items {
		all[i] = jsonNode(item)
	}
	return all, nil
}

func (n jsonNode) integer() (int32, error) {
	i, err := strconv.ParseInt(n.String(), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("Expected `Integer` value, received %s", n)
	}
	return int32(i), nil
}

func (n jsonNode) text() (string, error) {
	var s *string
	if json.Unmarshal(n, &s) != nil || s == nil {
		return "", fmt.Errorf("Expected `String` value, received %s", n)
	}
	return *s, nil
}

// listOfNodes reads an array whose items decode reads.
func listOfNodes[T any](decode func(jsonNode) (T, error)) func(jsonNode) ([]T, error) {
	return func(n jsonNode) ([]T, error) {
		items, err := n.array()
		if err != nil {
			return nil, fmt.Errorf("Expected `JSON array` value, received %s", n)
		}
		var all []T
		for _, item := range items {
			v, err := decode(item)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	}
}

// field reads a member that an object must have.
func field[T any](n jsonNode, name string, decode func(jsonNode) (T, error)) (T, error) {
	var none T
	members, err := n.object()
	if err != nil {
		return none, err
	}
	member, there := members[name]
	if !there {
		return none, fmt.Errorf("No such field exists: `%s`", name)
	}
	return decode(member)
}

// versionOne are the items of an array of an object of version 1; without the array there are none.
func (n jsonNode) versionOne(name string) ([]jsonNode, error) {
	members, err := n.object()
	if err != nil {
		return nil, err
	}
	if node, there := members["version"]; there {
		version, err := node.integer()
		if err != nil {
			return nil, err
		}
		if version != 1 {
			return nil, fmt.Errorf("Not supported version field value %d", version)
		}
	}
	if node, there := members[name]; there {
		return node.array()
	}
	return nil, nil
}
