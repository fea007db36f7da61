package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestScenarios runs testdata/*.txt: properties (the parser alone), load (a whole file), describe and topic.
func TestScenarios(t *testing.T) {
	for _, file := range []string{"properties", "load", "sources"} {
		t.Run(file, func(t *testing.T) {
			var s Sources
			datadriven.RunTest(t, "testdata/"+file+".scenario", func(t *testing.T, d *datadriven.TestData) string {
				return scenario(t, d, &s)
			})
		})
	}
}

func scenario(t *testing.T, d *datadriven.TestData, s *Sources) string {
	switch d.Cmd {
	case "properties":
		return parsed(d.Input)
	case "load":
		return loaded(d)
	case "sources":
		*s = Sources{File: pairs(t, d, "file"), Cluster: pairs(t, d, "cluster"), Broker: pairs(t, d, "broker")}
		return ""
	case "describe":
		return described(t, d, *s)
	case "valid":
		if err := judge(*s, "group", nil, pairs(t, d, "overrides")); err != nil {
			return err.Error() + "\n"
		}
		return "ok\n"
	case "group":
		return fmt.Sprintf("%+v\n", s.Group(pairs(t, d, "overrides")))
	case "topic":
		return fmt.Sprintf("%+v\n", s.Topic(pairs(t, d, "overrides")))
	}
	return "unknown command " + d.Cmd
}

func parsed(input string) string {
	// ␍ stands for a carriage return, ␌ for a form feed, ␉ for a tab, ⊔ for a blank that would not be seen.
	input = strings.NewReplacer("␍", "\r", "␌", "\f", "␉", "\t", "⊔", " ").Replace(input)
	props, err := ParseProperties("f", []byte(input))
	var b strings.Builder
	for _, p := range props {
		fmt.Fprintf(&b, "%d %q = %q\n", p.Line, p.Key, p.Value)
	}
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}

func loaded(d *datadriven.TestData) string {
	var overrides []string
	for _, a := range d.CmdArgs {
		overrides = append(overrides, a.Vals...)
	}
	n, err := Load("server.properties", []byte(d.Input), overrides)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "node %d broker=%v controller=%v\n", n.ID, n.Broker, n.Controller)
	fmt.Fprintf(&b, "listeners %v advertised %v controllers %v inter-broker %s\n",
		n.Listeners, n.Advertised, n.ControllerAdvertised, n.InterBrokerListener)
	fmt.Fprintf(&b, "voters %v bootstrap %v dirs %v metadata %s\n", n.Voters, n.BootstrapServers, n.LogDirs, n.MetadataLogDir)
	for _, w := range n.Warnings {
		fmt.Fprintln(&b, "warning:", w)
	}
	return b.String()
}

func described(t *testing.T, d *datadriven.TestData, s Sources) string {
	overrides, keys := pairs(t, d, "overrides"), []string{}
	for _, a := range d.CmdArgs {
		if a.Key == "keys" {
			keys = a.Vals
		}
	}
	var entries []Entry
	switch d.CmdArgs[0].Key {
	case "topic":
		entries = s.DescribeTopic(overrides, keys)
	case "broker":
		entries = s.DescribeBroker(keys)
	case "cluster":
		entries = s.DescribeClusterDefault(keys)
	case "group":
		entries = s.DescribeGroup(overrides, keys)
	case "client-metrics":
		entries = DescribeClientMetrics(overrides, keys)
	}
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintln(&b, show(e))
	}
	return b.String()
}

// pairs reads an argument such as file=(a=1, b=2).
func pairs(t *testing.T, d *datadriven.TestData, name string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, a := range d.CmdArgs {
		if a.Key != name {
			continue
		}
		for _, v := range a.Vals {
			k, v, _ := strings.Cut(v, "=")
			m[k] = strings.ReplaceAll(v, "+", ",")
		}
	}
	return m
}

func TestTable(t *testing.T) {
	for r := range tables {
		keys := Keys(r)
		if !slices.IsSortedFunc(keys, func(a, b Key) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("resource %d is not sorted", r)
		}
		for i, k := range keys {
			if i > 0 && keys[i-1].Name == k.Name {
				t.Errorf("%s is there twice", k.Name)
			}
			if k.Doc == "" || k.Type == Unknown {
				t.Errorf("%s is incomplete", k.Name)
			}
			if k.NoDefault || strings.HasPrefix(k.Name, "controller.quorum.") {
				continue // the empty quorum is a default that may not be set
			}
			if err := k.Check(k.Default); err != nil {
				t.Errorf("default of %s: %v", k.Name, err)
			}
			if c, _ := k.Canonical(k.Default); c != k.Default {
				t.Errorf("default of %s: %q is not canonical: %q", k.Name, k.Default, c)
			}
			for _, y := range k.Synonyms {
				if _, ok := Lookup(BrokerResource, y.Name); !ok {
					t.Errorf("%s: synonym %s is not a broker key", k.Name, y.Name)
				}
			}
		}
	}
}

func TestDurations(t *testing.T) {
	s := Sources{File: map[string]string{"log.roll.ms": "9223372036854775807", "replica.lag.time.max.ms": "-1"}}
	if got := s.Topic(nil).SegmentAge; got != math.MaxInt64 {
		t.Errorf("the longest time is %v", got)
	}
	if got := s.Millis("replica.lag.time.max.ms"); got != NoLimit {
		t.Errorf("-1 is %v", got)
	}
	if got := s.Seconds("leader.imbalance.check.interval.seconds"); got != 5*time.Minute {
		t.Errorf("300 seconds are %v", got)
	}
}

func TestFormatDouble(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{
		{0, "0.0"}, {0.5, "0.5"}, {1, "1.0"}, {1e7, "1.0E7"}, {123456.75, "123456.75"}, {1e-3, "0.001"}, {1.5e-4, "1.5E-4"},
		{math.MaxFloat64, "1.7976931348623157E308"}, {math.Inf(-1), "-Infinity"}, {math.NaN(), "NaN"},
	} {
		if got := formatDouble(c.in); got != c.want {
			t.Errorf("%v: got %s, want %s", c.in, got, c.want)
		}
	}
}

// FuzzLoad feeds any text as a properties file, F18: no panic, and errors name the file.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://:1,C://:2\ncontroller.listener.names=C\ncontroller.quorum.voters=1@a:2\n"))
	f.Add([]byte("a\\\n  b : c\\u00e4\\\\\n# x\n! y\nk\\=\\ v"))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := Load("f", text, nil)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if strings.TrimSpace(line) == "" {
					t.Errorf("an empty line in %q", err)
				}
				break
			}
			return
		}
		n.Sources.DescribeBroker(nil)
		n.Sources.Topic(nil)
	})
}

// FuzzProperties holds the parser to what Properties.store writes: any pairs come back.
func FuzzProperties(f *testing.F) {
	f.Add("key", "value")
	f.Add(" a=b:c#", "\tx\\\n\r\fä\U0001F600 ")
	f.Fuzz(func(t *testing.T, key, value string) {
		if key == "" || !isText(key) || !isText(value) {
			return
		}
		props, err := ParseProperties("f", []byte(escaped(key)+"="+escaped(value)+"\n"))
		if err != nil || len(props) != 1 || props[0].Key != key || props[0].Value != value {
			t.Errorf("%q=%q came back as %+v, %v", key, value, props, err)
		}
	})
}

func isText(s string) bool { return strings.ToValidUTF8(s, "") == s }

// escaped writes text so that nothing in it has a meaning.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, " ", `\ `, "=", `\=`, ":", `\:`, "#", `\#`, "!", `\!`,
		"\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`).Replace(s)
}
