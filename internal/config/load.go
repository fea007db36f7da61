package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DefaultListeners is where a node listens when the file doesn't say: on loopback, unlike Kafka, which opens every
// interface.
const DefaultListeners = "PLAINTEXT://127.0.0.1:9092"

// Load reads a properties file and the overrides ("key=value", as on the command line), checks them and gives the
// typed configuration. The error holds every problem found, one a line, with file and line.
func Load(file string, text []byte, overrides []string) (*Node, error) {
	l := loader{file: file, where: map[string]string{}, node: &Node{}}
	l.node.Sources.File = map[string]string{}
	props, err := ParseProperties(file, text)
	if err != nil {
		return nil, err
	}
	for _, p := range props {
		l.set(p.Key, p.Value, fmt.Sprintf("%s:%d", file, p.Line), true)
	}
	for _, o := range overrides {
		key, value, ok := strings.Cut(o, "=")
		if key = trim(key); !ok || key == "" {
			l.fail("--override "+o, "want key=value")
			continue
		}
		l.set(key, trim(value), "--override", false)
	}
	l.identity()
	for _, key := range l.order {
		l.check(key)
	}
	l.warn()
	if l.errs == nil {
		l.build()
	}
	if l.errs != nil {
		return nil, errors.Join(l.errs...)
	}
	return l.node, nil
}

// loader gathers what Load finds.
type loader struct {
	file  string
	where map[string]string // key → place, for keys that were given
	order []string          // those keys as they came
	node  *Node
	errs  []error

	unknown, idle []string
}

func (l *loader) fail(where, why string) { l.errs = append(l.errs, fmt.Errorf("%s: %s", where, why)) }

func (l *loader) set(key, value, where string, once bool) {
	first, ok := l.where[key]
	if !ok {
		l.order = append(l.order, key)
	} else if once {
		l.node.Warnings = append(l.node.Warnings,
			fmt.Sprintf("%s: %s is set again; the value at %s has no effect", where, key, first))
	}
	l.where[key] = where
	l.node.Sources.File[key] = value
}

// identity gives node.id and broker.id, two names of one thing, the same value.
func (l *loader) identity() {
	file := l.node.Sources.File
	node, okNode := file["node.id"]
	broker, okBroker := file["broker.id"]
	switch {
	case okNode && okBroker && trim(node) != trim(broker):
		l.fail(l.where["broker.id"],
			"`node.id` and `broker.id` must be set to the same value. `broker.id` is deprecated, please use `node.id` instead.")
	case okNode:
		file["broker.id"] = node
	case okBroker:
		file["node.id"] = broker
	}
}

// check judges one given key.
func (l *loader) check(key string) {
	value, where := l.node.Sources.File[key], l.where[key]
	k, _, known := lookupBroker(key)
	if !known {
		if strings.HasPrefix(key, ownPrefix) {
			l.fail(where, "unknown key "+key+didYouMean(key))
			return
		}
		l.unknown = append(l.unknown, key+didYouMean(key))
		return
	}
	if err := k.Check(value); err != nil {
		l.fail(where, err.Error())
		return
	}
	if k.Status == Honoured || k.isDefault(value) {
		return
	}
	if k.Status == Refused {
		l.fail(where, key+" is not supported, and leaving it without effect would not be safe: "+refusalHint(key))
		return
	}
	l.idle = append(l.idle, key)
}

func (k Key) isDefault(value string) bool {
	c, _ := k.Canonical(value)
	return !k.NoDefault && c == k.Default || k.NoDefault && c == "" || k.Status == Refused && c == ""
}

// didYouMean says what an unknown key may stand for: a topic's key has one of another name for all topics.
func didYouMean(key string) string {
	if i := slices.IndexFunc(Keys(TopicResource), func(k Key) bool { return k.Name == key }); i >= 0 {
		if all := Keys(TopicResource)[i].Synonyms; len(all) > 0 {
			return " (a topic's key; " + all[0].Name + " is the one for all topics)"
		}
		return " (a topic's key)"
	}
	if s := suggest(key, Keys(BrokerResource)); s != "" {
		return " (did you mean " + s + "?)"
	}
	return ""
}

// refusalHint says what to do instead of a refused key.
func refusalHint(key string) string {
	switch key {
	case "authorizer.class.name":
		return "this version does not authorise requests; remove the key and restrict who can reach the listeners"
	case "config.providers":
		return "write the values themselves, or pass them with --override"
	case "remote.log.storage.system.enable":
		return "this version has no tiered storage; set it to false"
	}
	return "Java classes can't be loaded; remove the key"
}

// warn makes one warning of all keys without effect, and one of all that are unknown.
func (l *loader) warn() {
	slices.Sort(l.idle)
	slices.Sort(l.unknown)
	if len(l.idle) > 0 {
		l.node.Warnings = append(l.node.Warnings,
			"these keys are accepted but have no effect: "+strings.Join(l.idle, ", "))
	}
	if l.node.Unknown = l.unknown; len(l.unknown) > 0 {
		l.node.Warnings = append(l.node.Warnings,
			"these keys are not known and have no effect: "+strings.Join(l.unknown, ", "))
	}
}
