package settings

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestResources(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		r, err := parseResource(s)
		got := r.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
	for _, s := range []string{"topic/orders", "broker/1", "brokers", "group/a/b", "group/billing", "client-metrics/x", "logger/0"} {
		f(s, s)
	}
	f("topics/orders", `"topics/orders" has no settings; hint: did you mean topic?`)
	f("orders", `"orders" has no settings; hint: did you mean topic/orders?`)
	f("topic", `"topic" has no settings; hint: want topic/NAME,`)
	f("no topic", `"no topic" has no settings; hint: want topic/NAME,`)
	f("topic/", `"topic/" has no settings; hint: want`)
	f("broker/-1", `"broker/-1" has no settings; hint: a broker is named by its id`)
	f("brokers/1", `"brokers/1" has no settings; hint: want`)
	f("logger/x", `"logger/x" has no settings; hint: a broker is named by its id`)
	f("topic/a b", "a topic can't have this name")
}

func TestChanges(t *testing.T) {
	f := func(arg, want string) {
		t.Helper()
		all, err := parseChanges(strings.Fields(arg))
		var got []string
		for _, c := range all {
			got = append(got, c.Key+" "+c.op.String()+" "+*c.value)
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s: %s, want %s", arg, s, want)
		}
	}
	f("a=1", "a SET 1")
	f("a=b=c d+=e f-=g h=", "a SET b=c; d APPEND e; f SUBTRACT g; h SET ")
	f("a=1 a+=2", "a is given twice")
	f("a", `"a": want KEY=VALUE, or KEY+=ITEM or KEY-=ITEM for a list`)
	f("=1", `"=1": want KEY=VALUE, or KEY+=ITEM or KEY-=ITEM for a list`)
	f("+=1", `"+=1": want KEY=VALUE, or KEY+=ITEM or KEY-=ITEM for a list`)
}

func TestLists(t *testing.T) {
	s := func(v string) *string { return &v }
	f := func(got *string, want string) {
		t.Helper()
		if text(got, false) != want {
			t.Errorf("%s, want %s", text(got, false), want)
		}
	}
	f(with(nil, "a"), "a")
	f(with(s(""), "a"), "a")
	f(with(s("a,b"), "c"), "a,b,c")
	f(with(s("a,b"), "b"), "a,b")
	f(without(nil, "a"), "-")
	f(without(s("a,b,a"), "a"), "b")
	f(without(s("a"), "a"), `""`)
}

// What a setting hides is the value that counts when it is taken away: the next of its synonyms that comes from somewhere else.
func TestDefaultsAreWhatIsHidden(t *testing.T) {
	s := func(v string) *string { return &v }
	synonym := func(source kmsg.ConfigSource, value string) kmsg.DescribeConfigsResponseResourceConfigConfigSynonym {
		return kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{Source: source, Value: s(value)}
	}
	topic := resource{kmsg.ConfigResourceTypeTopic, "t"}
	e := entry(topic, kmsg.DescribeConfigsResponseResourceConfig{Name: "k", Value: s("1"), Source: kmsg.ConfigSourceDynamicTopicConfig,
		ConfigSynonyms: []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{
			synonym(kmsg.ConfigSourceDynamicTopicConfig, "1"), synonym(kmsg.ConfigSourceStaticBrokerConfig, "2"), synonym(kmsg.ConfigSourceDefaultConfig, "3"),
		}})
	if !e.own || e.Source != "topic" || *e.Default != "2" {
		t.Errorf("%+v", e)
	}
	e = entry(topic, kmsg.DescribeConfigsResponseResourceConfig{Name: "k", Value: s("2"), Source: kmsg.ConfigSourceStaticBrokerConfig})
	if e.own || e.Default != nil || e.Source != "file" {
		t.Errorf("%+v", e)
	}
	if e = entry(topic, kmsg.DescribeConfigsResponseResourceConfig{Name: "k", Source: 99}); e.Source != "unknown (99)" {
		t.Errorf("%+v", e)
	}
}

// What a broker has in hours is told in the unit of the key, and what it leaves open is no default.
func TestDefaults(t *testing.T) {
	type synonyms = []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym
	s := kmsg.StringPtr
	hours := synonyms{{Name: "log.retention.hours", Value: s("168"), Source: kmsg.ConfigSourceDefaultConfig}}
	for name, c := range map[string]struct {
		source   kmsg.ConfigSource
		synonyms synonyms
	}{
		"set on the topic": {kmsg.ConfigSourceDynamicTopicConfig, append(synonyms{
			{Name: "retention.ms", Value: s("1"), Source: kmsg.ConfigSourceDynamicTopicConfig},
			{Name: "log.retention.ms", Source: kmsg.ConfigSourceDefaultConfig}}, hours...)},
		"set for all brokers": {kmsg.ConfigSourceDynamicDefaultBrokerConfig, append(synonyms{
			{Name: "log.retention.ms", Value: s("2"), Source: kmsg.ConfigSourceDynamicDefaultBrokerConfig}}, hours...)},
	} {
		e := entry(resource{kind: kmsg.ConfigResourceTypeTopic, name: "orders"},
			kmsg.DescribeConfigsResponseResourceConfig{Name: "retention.ms", Source: c.source, ConfigSynonyms: c.synonyms})
		if e.Default == nil || *e.Default != "604800000" {
			t.Errorf("%s: default %v", name, e.Default)
		}
	}
}
