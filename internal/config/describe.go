package config

import (
	"maps"
	"slices"
	"strings"
)

// Source says where a value comes from, with the bytes of DescribeConfigs.
type Source int8

// The sources.
const (
	FromTopic          Source = 1
	FromBroker         Source = 2
	FromClusterDefault Source = 3
	FromFile           Source = 4
	FromDefault        Source = 5
	FromLogger         Source = 6
	FromClientMetrics  Source = 7
	FromGroup          Source = 8
)

// Entry is one key in a DescribeConfigs answer.
type Entry struct {
	Name string
	// Value is nil for null and for sensitive keys.
	Value     *string
	Source    Source
	ReadOnly  bool
	Sensitive bool
	Type      Type
	// Synonyms are all the settings that could give the value, the one that does first. They are sent only if asked for.
	Synonyms []EntrySynonym
	// Doc is the description of the key. It is sent only if asked for.
	Doc string
}

// EntrySynonym is one setting behind an Entry.
type EntrySynonym struct {
	Name   string
	Value  *string
	Source Source
}

// DescribeTopic lists a topic's configuration, sorted by name: every key of Kafka's that is not internal, and everything that is set.
// overrides are what is stored for the topic. keys limits the answer to those names; nil or empty asks for all.
func (s Sources) DescribeTopic(overrides map[string]string, keys []string) []Entry {
	return s.describeDynamic(TopicResource, FromTopic, overrides, keys)
}

// DescribeGroup lists a group's configuration, sorted by name; arguments as for DescribeTopic.
func (s Sources) DescribeGroup(overrides map[string]string, keys []string) []Entry {
	return s.describeDynamic(GroupResource, FromGroup, overrides, keys)
}

// DescribeClientMetrics lists a client-metrics subscription, sorted by name; arguments as for DescribeTopic.
func DescribeClientMetrics(overrides map[string]string, keys []string) []Entry {
	return Sources{}.describeDynamic(ClientMetricsResource, FromClientMetrics, overrides, keys)
}

func (s Sources) describeDynamic(r Resource, own Source, overrides map[string]string, keys []string) []Entry {
	var entries []Entry
	for _, k := range Keys(r) {
		raw, set := overrides[k.Name]
		if k.Internal && !set || !asked(keys, k.Name) {
			continue
		}
		e := Entry{Name: k.Name, Type: k.Type, Source: FromDefault, Doc: k.Doc}
		if set {
			e.Value, e.Source = k.shown(raw), own
			e.Synonyms = []EntrySynonym{{k.Name, e.Value, own}}
		} else if v, ok := s.inherited(k); ok {
			e.Value = k.shown(v)
		}
		switch {
		case len(k.Synonyms) > 0:
			e.Synonyms = append(e.Synonyms, s.brokerSynonyms(k.Synonyms[0].Name)...)
		case r == GroupResource && !k.NoDefault:
			e.Synonyms = append(e.Synonyms, EntrySynonym{k.Name, k.shown(k.Default), FromDefault})
		}
		if len(e.Synonyms) > 0 {
			e.Source = e.Synonyms[0].Source
		}
		if k.own() && e.Source == FromDefault && len(keys) == 0 {
			continue // as in DescribeBroker
		}
		entries = append(entries, e)
	}
	return entries
}

// DescribeBroker lists this broker's configuration, sorted by name: every key of Kafka's that is not internal, and everything
// that is set.
func (s Sources) DescribeBroker(keys []string) []Entry {
	set := map[string]bool{}
	for _, k := range Keys(BrokerResource) {
		if !k.Internal && !k.own() {
			set[k.Name] = true
		}
	}
	for _, from := range []map[string]string{s.File, s.Cluster, s.Broker} {
		for name := range from {
			set[name] = true
		}
	}
	var entries []Entry
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if asked(keys, name) {
			entries = append(entries, s.brokerEntry(name, s.brokerSynonyms(name)))
		}
	}
	return entries
}

// DescribeClusterDefault lists the dynamic defaults that are set for all brokers (resource BROKER, empty name).
func (s Sources) DescribeClusterDefault(keys []string) []Entry {
	var entries []Entry
	for _, name := range slices.Sorted(maps.Keys(s.Cluster)) {
		if asked(keys, name) {
			k, _, known := lookupBroker(name)
			entries = append(entries, s.brokerEntry(name,
				[]EntrySynonym{{name, k.shownIf(known, s.Cluster[name]), FromClusterDefault}}))
		}
	}
	return entries
}

func (s Sources) brokerEntry(name string, synonyms []EntrySynonym) Entry {
	k, prefixed, known := lookupBroker(name)
	e := Entry{
		Name: name, Type: k.Type, Doc: k.Doc, Synonyms: synonyms, Source: FromDefault,
		ReadOnly: k.Scope == ReadOnly || prefixed, Sensitive: !known || k.Type == Password,
	}
	if len(synonyms) > 0 {
		e.Source = synonyms[0].Source
		if synonyms[0].Name == name {
			e.Value = synonyms[0].Value
		}
	}
	return e
}

// families are broker keys that stand in for each other, in order.
var families = [][]string{
	{"log.retention.ms", "log.retention.minutes", "log.retention.hours"},
	{"log.roll.ms", "log.roll.hours"},
	{"log.roll.jitter.ms", "log.roll.jitter.hours"},
	{"log.flush.interval.ms", "log.flush.scheduler.interval.ms"},
}

// family returns name and what stands in for it.
func family(name string) []string {
	for _, f := range families {
		if slices.Contains(f, name) {
			return f
		}
	}
	if k, prefixed, ok := lookupBroker(name); ok && prefixed {
		return []string{name, k.Name}
	}
	return []string{name}
}

// brokerSynonyms lists all that is set for a broker key and its stand-ins, strongest first. What comes before the
// key's own first setting is dropped, so that the list is empty when only stand-ins are set, as in Kafka.
func (s Sources) brokerSynonyms(name string) []EntrySynonym {
	var all []EntrySynonym
	names := family(name)
	add := func(from map[string]string, source Source) {
		for _, n := range names {
			if v, ok := from[n]; ok {
				k, _, known := lookupBroker(n)
				all = append(all, EntrySynonym{n, k.shownIf(known, v), source})
			}
		}
	}
	add(s.Broker, FromBroker)
	add(s.Cluster, FromClusterDefault)
	add(s.File, FromFile)
	for _, n := range names {
		if k, ok := Lookup(BrokerResource, n); ok && !k.NoDefault {
			all = append(all, EntrySynonym{n, k.shown(k.Default), FromDefault})
		}
	}
	i := slices.IndexFunc(all, func(e EntrySynonym) bool { return e.Name == name })
	if i < 0 {
		return nil
	}
	return all[i:]
}

// shown is the value as an answer shows it: null for passwords.
func (k Key) shown(value string) *string { return k.shownIf(true, value) }

// shownIf is null for keys that are not known: they may hold secrets.
func (k Key) shownIf(known bool, value string) *string {
	if !known || k.Type == Password {
		return nil
	}
	if c, err := k.Canonical(value); err == nil {
		value = c
	}
	return &value
}

func asked(keys []string, name string) bool { return len(keys) == 0 || slices.Contains(keys, name) }

// String shows an entry as "name=value".
func (e Entry) String() string {
	if e.Value == nil {
		return e.Name + "=null"
	}
	return e.Name + "=" + strings.TrimSpace(*e.Value)
}
