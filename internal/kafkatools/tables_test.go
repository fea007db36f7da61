package kafkatools

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// What stands in the tables agrees with itself, in each release.
func TestFeatureLevels(t *testing.T) {
	for _, r := range []Release{{4, 3, 1}, {4, 4, 0}} {
		for i, name := range knownMetadataVersions(r) {
			level := int16(i + firstMetadataVersion)
			if got, err := metadataVersionName(level, r); err != nil || got != name {
				t.Errorf("%v: level %d is %q, %v", r, level, got, err)
			}
			if got, err := parseMetadataVersion(name, r); err != nil || got != level {
				t.Errorf("%v: %s is level %d, %v", r, name, got, err)
			}
		}
		latest := latestMetadataVersion(r)
		if got, err := parseMetadataVersion(strings.Join(strings.Split(r.String(), ".")[:2], "."), r); err != nil || got != latest {
			t.Errorf("%v: the release is level %d, %v; want %d", r, got, err, latest)
		}
		for _, f := range features(r) {
			if got := f.defaultAt(latest); int(got) != len(f.since) {
				t.Errorf("%v: %s is %d by default", r, f.name, got)
			}
			if got := f.defaultAt(firstMetadataVersion); got != 0 {
				t.Errorf("%v: %s is %d by default at first", r, f.name, got)
			}
		}
	}
	for _, word := range []string{"", "4", "4.4-IV9", "5.0", "x", "4.4.0-IV2"} {
		if level, err := parseMetadataVersion(word, Claimed); err == nil {
			t.Errorf("%q is level %d", word, level)
		}
	}
	if _, err := parseMetadataVersion("4.4", Release{4, 3, 1}); err == nil {
		t.Error("release 4.3 knows 4.4")
	}
}

func TestParseRelease(t *testing.T) {
	for word, want := range map[string]string{"4.3": "4.3.0", "4.3.1": "4.3.1", "10.0.12": "10.0.12", "4": "", "": "", "4.x": "", "4.3.1.2": "", "-4.3": ""} {
		r, err := ParseRelease(word)
		if (err == nil) != (want != "") || err == nil && r.String() != want {
			t.Errorf("%q: %v, %v", word, r, err)
		}
	}
	for _, c := range []struct {
		r            Release
		major, minor int
		want         bool
	}{{Release{4, 4, 0}, 4, 4, true}, {Release{4, 3, 9}, 4, 4, false}, {Release{5, 0, 0}, 4, 4, true}, {Release{3, 9, 0}, 4, 0, false}} {
		if got := c.r.AtLeast(c.major, c.minor); got != c.want {
			t.Errorf("%v at least %d.%d: %v", c.r, c.major, c.minor, got)
		}
	}
}

// Every way in which an API of a server and one of the release can meet.
func TestAPILines(t *testing.T) {
	key := func(k, low, high int16) kmsg.ApiVersionsResponseApiKey {
		return kmsg.ApiVersionsResponseApiKey{ApiKey: k, MinVersion: low, MaxVersion: high}
	}
	lines := apiLines(&kmsg.ApiVersionsResponse{ApiKeys: []kmsg.ApiVersionsResponseApiKey{
		key(3, 0, 13), key(18, 0, 5), key(1, 99, 100), key(56, 0, 1), key(42, 2, 2), key(94, 0, 0), key(200, 0, 3),
	}}, Release{4, 3, 1})
	for _, want := range []string{
		"Metadata(3): 0 to 13 [usable: 13]", "ApiVersions(18): 0 to 5 [usable: 4]", "Fetch(1): 99 to 100 [unusable: node too new]",
		"AlterPartition(56): 0 to 1 [unusable: node too old]", "DeleteGroups(42): 2 [usable: 2]", "Produce(0): UNSUPPORTED",
		"UNKNOWN(94): 0", "UNKNOWN(200): 0 to 3",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "Vote(") || strings.HasPrefix(l, "UpdateMetadata(") {
			t.Errorf("%q is none for clients", l)
		}
	}
	newer := apiLines(&kmsg.ApiVersionsResponse{ApiKeys: []kmsg.ApiVersionsResponseApiKey{key(94, 0, 0)}}, Release{4, 4, 0})
	if last := newer[len(newer)-1]; last != "UnregisterController(94): 0 [usable: 0]" {
		t.Errorf("%q", last)
	}
}

// Each error code has a class and a text, and a server's own text is over ours.
func TestExceptions(t *testing.T) {
	for code := range exceptions {
		err := javaCode(code, nil)
		if err.Error() == "" || exceptions[code].class == "" {
			t.Errorf("%d: %v", code, javaFull(err))
		}
	}
	text := "mine"
	if err := javaCode(3, &text); javaFull(err) != "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: mine" || !isCode(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("%v", err)
	}
	if err := javaCode(9999, nil); javaFull(err) != "org.apache.kafka.common.errors.UnknownServerException: "+kerr.UnknownServerError.Description {
		t.Errorf("%v", err)
	}
	if javaCode(0, &text) != nil {
		t.Error("no error is one")
	}
	if got := javaFull(noSuchAPI{javaKey(29)}); got != "org.apache.kafka.common.errors.UnsupportedVersionException: The node does not support DESCRIBE_ACLS" {
		t.Error(got)
	}
}

func TestSplitOutside(t *testing.T) {
	for in, want := range map[string]string{
		"a=1,b=2":             "a=1|b=2",
		"a=[1,2],b=3":         "a=[1,2]|b=3",
		"a=1,b=[2,3],c=[4,5]": "a=1|b=[2,3]|c=[4,5]",
		"a":                   "a",
		"":                    "",
		"a=[1,2":              "a=[1|2",
		"a=,b=":               "a=|b=",
	} {
		if got := strings.Join(splitOutside(in, ','), "|"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTopicFilter(t *testing.T) {
	for _, c := range []struct{ filter, takes, leaves string }{
		{"a", "a", "ab"}, {"a,b", "b", "a,b"}, {"a.*", "abc", "ba"}, {` "a" `, "a", `"a"`}, {"a b", "ab", "a b"}, {"a|bc", "bc", "abc"},
	} {
		keep, err := topicFilter(c.filter)
		if err != nil || !keep(c.takes) || keep(c.leaves) {
			t.Errorf("%q: %v", c.filter, err)
		}
	}
	if _, err := topicFilter("*"); err == nil {
		t.Error("* is no expression")
	}
}

func TestPartitionRules(t *testing.T) {
	for rule, want := range map[string]string{"a": "0 1 2 3 4", "a:2": "2", "a:1-3": "1 2", "a:3-": "3 4", "a:-2": "0 1", ":1": "1", "a:": "0 1 2 3 4", "b": ""} {
		f, err := parsePartitionRule(rule)
		if err != nil {
			t.Errorf("%q: %v", rule, err)
			continue
		}
		var got []string
		for p := range int32(5) {
			if f.takes(kafka.TopicPartition{Topic: "a", Partition: p}) {
				got = append(got, string(rune('0'+p)))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q takes %v, want %s", rule, got, want)
		}
	}
	for _, rule := range []string{"a:x", "a:1:2", "a:1-2-3", "a:99999999999"} {
		if _, err := parsePartitionRule(rule); err == nil {
			t.Errorf("%q is a rule", rule)
		}
	}
}

func TestCredentials(t *testing.T) {
	u, err := upsertion("ann", "SCRAM-SHA-256", "iterations=8192,password=a=b,c")
	if err != nil || u.Name != "ann" || u.Iterations != 8192 || len(u.SaltedPassword) != 32 || len(u.Salt) == 0 || u.Mechanism != 1 {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err = upsertion("ann", "SCRAM-SHA-512", "password=x"); err != nil || u.Iterations != 4096 || len(u.SaltedPassword) != 64 {
		t.Errorf("%+v, %v", u, err)
	}
	for _, bad := range []string{"", "iterations=4096", "iterations=1,password=x", "x=y", "iterations=9999999999999999999,password=x"} {
		if _, err := upsertion("ann", "SCRAM-SHA-256", bad); err == nil {
			t.Errorf("%q is a credential", bad)
		}
	}
}

// A cell is as wide as Java counts it, in units of UTF-16: what has more bytes than that moves no column.
func TestTableCountsAsJava(t *testing.T) {
	w := newTested("", nil)
	w.table([]string{"NAME", "X"}, [][]string{{"ünï", "a"}, {"𝄞𝄞𝄞", "b"}, {"€", "c"}})
	w.flush()
	want := "NAME  \tX\t\nünï   \ta\t\n𝄞𝄞𝄞\tb\t\n€     \tc\t\n"
	if got := w.out.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The documentation has a word for each tool, those that are not there too.
func TestToolsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/apache-tools.md")
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(maps.Keys(absent))
	for _, tool := range tools() {
		names = append(names, tool.Name)
	}
	for _, name := range names {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/apache-tools.md does not mention %s", name)
		}
	}
}
