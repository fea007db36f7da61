package inspect

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// Node is a directory or a file of the tree in which the shell shows the metadata of a cluster.
type Node struct {
	// Name is the last word of its path, "" for the root.
	Name string
	// Text is what a file holds.
	Text string
	// list gives what is in a directory, sorted; nil for a file.
	list func() []*Node
}

// IsDir tells a directory from a file.
func (n *Node) IsDir() bool { return n.list != nil }

// Children are what is in a directory, sorted by name.
func (n *Node) Children() []*Node {
	if n.list == nil {
		return nil
	}
	children := n.list()
	slices.SortStableFunc(children, func(a, b *Node) int { return cmp.Compare(a.Name, b.Name) })
	return children
}

// Print writes what is below the node, each level two blanks further to the right; of a file, its text.
func (n *Node) Print(w io.Writer) { n.print(w, "") }

func (n *Node) print(w io.Writer, indent string) {
	if !n.IsDir() {
		fmt.Fprintln(w, indent+n.Text)
		return
	}
	for _, c := range n.Children() {
		fmt.Fprintln(w, indent+c.Name+":")
		c.print(w, indent+"  ")
	}
}

func leaf(name, text string) *Node { return &Node{Name: name, Text: text} }

func folder(name string, list func() []*Node) *Node { return &Node{Name: name, list: list} }

// fixed is a folder of nodes that are there already.
func fixed(name string, children ...*Node) *Node {
	return folder(name, func() []*Node { return slices.Clone(children) })
}

// Tree shows an image as Kafka's metadata shell does. version and commit are those of the program, double is the text of a number.
func Tree(i *metadata.Image, version, commit string, double func(float64) string) *Node {
	return fixed("",
		fixed("local", leaf("version", version), leaf("commitId", commit)),
		fixed("image", leaf("provenance", provenance(i)),
			features(i.Features), cluster(i.Cluster), topics(i.Topics), configs(i.Configs), quotas(i, double),
			fixed("producerIds", leaf("nextProducerId", nextProducer(i.ProducerIDs))),
			acls(i), scram(i), tokens(i)))
}

func nextProducer(p metadata.ProducerIDs) string {
	if !p.Known {
		return "-1"
	}
	return strconv.FormatInt(int64(p.Next), 10)
}

func provenance(i *metadata.Image) string {
	at := time.UnixMilli(i.Timestamp).UTC()
	if i.Offset == kafka.NoOffset {
		at = time.UnixMilli(-1).UTC()
	}
	return fmt.Sprintf("offset %d, epoch %d, time %s[UTC]", i.Offset, i.Epoch, at.Format("2006-01-02T15:04:05.999Z"))
}

func features(f *metadata.Features) *Node {
	return folder("features", func() []*Node {
		level := "Optional.empty"
		if n := f.MetadataVersion(); n > 0 {
			level = "Optional[" + metadataRelease(n) + "]"
		}
		nodes := []*Node{leaf("metadataVersion", level)}
		for _, name := range f.Names() {
			if name != metadata.MetadataVersionFeature {
				nodes = append(nodes, leaf("finalized_"+name, strconv.Itoa(int(f.Level(name)))))
			}
		}
		return nodes
	})
}

// metadataReleases are the names of the levels of metadata.version, from 1 on.
var metadataReleases = strings.Fields("3.0-IV1 3.1-IV0 3.2-IV0 3.3-IV0 3.3-IV1 3.3-IV2 3.3-IV3 3.4-IV0 3.5-IV0 3.5-IV1 3.5-IV2 3.6-IV0 3.6-IV1 3.6-IV2 " +
	"3.7-IV0 3.7-IV1 3.7-IV2 3.7-IV3 3.7-IV4 3.8-IV0 3.9-IV0 4.0-IV0 4.0-IV1 4.0-IV2 4.0-IV3 4.1-IV0 4.1-IV1 4.2-IV0 4.2-IV1 4.3-IV0")

func metadataRelease(n metadata.Level) string {
	if int(n) <= len(metadataReleases) {
		return metadataReleases[n-1]
	}
	return strconv.Itoa(int(n))
}

func cluster(c *metadata.Cluster) *Node {
	return fixed("cluster",
		folder("brokers", func() []*Node {
			var nodes []*Node
			for _, b := range c.Brokers() {
				nodes = append(nodes, leaf(strconv.Itoa(int(b.ID)), brokerText(b)))
			}
			return nodes
		}),
		folder("controllers", func() []*Node {
			var nodes []*Node
			for _, n := range c.Controllers() {
				nodes = append(nodes, leaf(strconv.Itoa(int(n.ID)), fmt.Sprintf("ControllerRegistration(id=%d, incarnationId=%s, zkMigrationReady=false, listeners=[%s], supportedFeatures={%s})",
					n.ID, n.Incarnation, endpoints(n.Endpoints), ranges(n.Features))))
			}
			return nodes
		}))
}

func brokerText(b *metadata.Broker) string {
	rack := "Optional.empty"
	if b.Rack != nil {
		rack = "Optional[" + *b.Rack + "]"
	}
	cordoned := "null"
	if b.CordonedKnown {
		cordoned = list(b.Cordoned)
	}
	return fmt.Sprintf("BrokerRegistration(id=%d, epoch=%d, incarnationId=%s, listeners=[%s], supportedFeatures={%s}, rack=%s, fenced=%t, "+
		"inControlledShutdown=%t, isMigratingZkBroker=false, directories=%s, cordonedDirectories=%s)", b.ID, b.Epoch, b.Incarnation,
		endpoints(b.Endpoints), ranges(b.Features), rack, b.Fenced, b.InControlledShutdown, list(b.Directories), cordoned)
}

var protocols = map[metadata.SecurityProtocol]string{
	metadata.Plaintext: "PLAINTEXT", metadata.SSL: "SSL", metadata.SASLPlaintext: "SASL_PLAINTEXT", metadata.SASLSSL: "SASL_SSL",
}

func endpoints(all []metadata.Endpoint) string {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b metadata.Endpoint) int { return cmp.Compare(a.Listener, b.Listener) })
	words := make([]string, len(sorted))
	for i, e := range sorted {
		words[i] = fmt.Sprintf("Endpoint(listenerName='%s', securityProtocol=%s, host='%s', port=%d)", e.Listener, protocols[e.Protocol], e.Host, e.Port)
	}
	return strings.Join(words, ", ")
}

func ranges(features map[string]metadata.LevelRange) string {
	var words []string
	for name, r := range features {
		text := fmt.Sprintf("%d-%d", r.Min, r.Max)
		if r.Min == r.Max {
			text = strconv.Itoa(int(r.Min))
		}
		words = append(words, name+": "+text)
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// list is the text of a Java list or array.
func list[T any](all []T) string {
	words := make([]string, len(all))
	for i, v := range all {
		words[i] = fmt.Sprint(v)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func topics(t *metadata.Topics) *Node {
	of := func(name func(*metadata.Topic) string) func() []*Node {
		return func() []*Node {
			var nodes []*Node
			for _, topic := range t.Sorted() {
				nodes = append(nodes, folder(name(topic), func() []*Node { return topicFiles(topic) }))
			}
			return nodes
		}
	}
	return fixed("topics",
		folder("byName", of(func(t *metadata.Topic) string { return t.Name })),
		folder("byId", of(func(t *metadata.Topic) string { return t.ID.String() })))
}

func topicFiles(t *metadata.Topic) []*Node {
	nodes := []*Node{leaf("name", t.Name), leaf("id", t.ID.String())}
	for _, p := range t.Partitions {
		state := "RECOVERED"
		if p.Recovering {
			state = "RECOVERING"
		}
		nodes = append(nodes, leaf(strconv.Itoa(int(p.ID)), fmt.Sprintf("PartitionRegistration(replicas=%s, directories=%s, isr=%s, removingReplicas=%s, "+
			"addingReplicas=%s, elr=%s, lastKnownElr=%s, leader=%d, leaderRecoveryState=%s, leaderEpoch=%d, partitionEpoch=%d)",
			list(p.Replicas), list(p.Directories), list(p.ISR), list(p.Removing), list(p.Adding), list(p.ELR), list(p.LastKnownELR),
			p.Leader, state, p.LeaderEpoch, p.PartitionEpoch)))
	}
	return nodes
}

// resources are the words for what a configuration belongs to.
var resources = map[metadata.ResourceType]string{
	metadata.TopicResource: "TOPIC", metadata.BrokerResource: "BROKER", metadata.BrokerLoggerResource: "BROKER_LOGGER",
	metadata.ClientMetricsResource: "CLIENT_METRICS", metadata.GroupResource: "GROUP",
}

func configs(c *metadata.Configs) *Node {
	return folder("configs", func() []*Node {
		var nodes []*Node
		for t, word := range resources {
			for _, r := range c.Resources(t) {
				name := word
				if r.Name != "" {
					name += ":" + r.Name
				}
				nodes = append(nodes, folder(name, func() []*Node {
					var files []*Node
					for k, v := range c.Of(r) {
						files = append(files, leaf(k, v))
					}
					return files
				}))
			}
		}
		return nodes
	})
}

// records are those of a snapshot of the image that are of a type.
func records[T schema.MetadataRecord](i *metadata.Image) []T {
	var found []T
	for r := range i.Records {
		if body, ok := r.Body.(T); ok {
			found = append(found, body)
		}
	}
	return found
}
