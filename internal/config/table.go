package config

import (
	"slices"
	"strings"
)

// null as a default says that the key has none; required that the file must set it.
const (
	null     = "\x00null"
	required = "\x00required"
)

// internal marks, beside a Status, keys that DescribeConfigs leaves out unless they are set.
const internal Status = 1 << 4

// brokerRow is a line of the tables of broker keys.
type brokerRow struct {
	name   string
	typ    Type
	def    string
	valid  Validator
	rank   Importance
	scope  Scope
	status Status
	doc    string
}

// row is a line of the tables of topic, group and client-metrics keys.
type row struct {
	name     string
	typ      Type
	def      string
	valid    Validator
	rank     Importance
	status   Status
	synonyms string
	doc      string
}

// ottlaKeys are our own broker keys. Unlike Kafka's, an unknown one is an error.
var ottlaKeys = []brokerRow{
	{"ottla.compressed.check", String, "full", oneOf("full", "header"), Medium, ClusterWide, Honoured, "What is checked of a compressed batch that a client produces, by default of topics: full, every record, decompressed; or header, which trusts the records behind a good checksum. Compacted topics are always checked in full."},
	{"ottla.metrics.listener", String, "", nil, Medium, ReadOnly, Honoured, "Address, host:port, at which metrics and health are told over HTTP; empty for none. Without a host it is this machine's own."},
	{"ottla.metrics.pprof.enable", Boolean, "false", nil, Low, ReadOnly, Honoured, "Show profiles at ottla.metrics.listener too, under /debug/pprof/."},
}

// Section is a part of the broker keys that belong together, as on the reference page.
type Section struct {
	Title string
	Keys  []Key
}

// sections hold the broker keys by theme.
var sections = []Section{
	{"Identity, listeners and the metadata quorum", brokerKeys(nodeKeys)},
	{"Logs and defaults of topics", brokerKeys(logKeys)},
	{"Replication", brokerKeys(replicationKeys)},
	{"Sockets, limits, quotas and metrics", brokerKeys(networkKeys)},
	{"Groups and offsets", brokerKeys(groupKeys)},
	{"Transactions and share state", brokerKeys(transactionKeys)},
	{"Tiered storage", brokerKeys(remoteKeys)},
	{"Security", brokerKeys(securityKeys)},
	{"Ottla's own", brokerKeys(ottlaKeys)},
}

// tables hold all keys of a resource, sorted by name.
var tables = map[Resource][]Key{
	BrokerResource:        joined(sections),
	TopicResource:         sorted(dynamicKeys(topicKeys)),
	GroupResource:         sorted(dynamicKeys(groupResourceKeys)),
	ClientMetricsResource: sorted(dynamicKeys(clientMetricsKeys)),
}

// Keys returns all keys of a resource, internal ones too, sorted by name. The result is shared: don't change it.
func Keys(r Resource) []Key { return tables[r] }

// Sections returns the broker keys by theme, in the order of the reference page. The result is shared.
func Sections() []Section { return sections }

// Lookup finds a key by its exact name.
func Lookup(r Resource, name string) (Key, bool) {
	t := tables[r]
	i, ok := slices.BinarySearchFunc(t, name, func(k Key, n string) int { return strings.Compare(k.Name, n) })
	if !ok {
		return Key{}, false
	}
	return t[i], true
}

// lookupBroker also finds the key behind a name with a listener prefix ("listener.name.internal.ssl.keystore.type",
// "listener.name.internal.plain.sasl.jaas.config").
func lookupBroker(name string) (k Key, prefixed, ok bool) {
	if k, ok = Lookup(BrokerResource, name); ok {
		return k, false, true
	}
	rest, ok := strings.CutPrefix(name, "listener.name.")
	if !ok {
		return Key{}, false, false
	}
	_, rest, ok = strings.Cut(rest, ".")
	for ok {
		if k, found := Lookup(BrokerResource, rest); found {
			return k, true, true
		}
		_, rest, ok = strings.Cut(rest, ".")
	}
	return Key{}, false, false
}

func brokerKeys(rows []brokerRow) []Key {
	keys := make([]Key, 0, len(rows))
	for _, r := range rows {
		k := Key{Name: r.name, Type: r.typ, Valid: r.valid, Importance: r.rank, Scope: r.scope, Doc: r.doc}
		keys = append(keys, k.with(r.def, r.status))
	}
	return keys
}

func dynamicKeys(rows []row) []Key {
	keys := make([]Key, 0, len(rows))
	for _, r := range rows {
		k := Key{Name: r.name, Type: r.typ, Valid: r.valid, Importance: r.rank, Scope: ClusterWide, Doc: r.doc}
		for _, s := range strings.Fields(r.synonyms) {
			name, unit, _ := strings.Cut(s, "*")
			k.Synonyms = append(k.Synonyms, Synonym{Name: name, Unit: map[string]int64{"": 1, "m": 60_000, "h": 3_600_000}[unit]})
		}
		keys = append(keys, k.with(r.def, r.status))
	}
	return keys
}

// with fills what the columns encode.
func (k Key) with(def string, status Status) Key {
	k.Internal = status&internal != 0
	k.Status = status &^ internal
	switch def {
	case null:
		k.NoDefault = true
	case required:
		k.NoDefault, k.Required = true, true
	default:
		k.Default = def
	}
	return k
}

func joined(sections []Section) []Key {
	var keys []Key
	for _, s := range sections {
		keys = append(keys, s.Keys...)
	}
	return sorted(keys)
}

func sorted(keys []Key) []Key {
	slices.SortFunc(keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return keys
}
