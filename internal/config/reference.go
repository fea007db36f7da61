package config

import (
	"fmt"
	"slices"
	"strings"
)

// Reference returns the reference page of all keys, docs/operate/configuration.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range Sections() {
		if len(s.Keys) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n| Key | Type | Default | Valid | Changes | |\n|---|---|---|---|---|---|\n", s.Title)
		for _, k := range s.Keys {
			if !k.Internal {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s%s |\n", k.Name, typeName(k), defaultText(k), validText(k),
					scopeText(k), statusText(k), cell(k.Doc))
			}
		}
	}
	for _, r := range []struct {
		title string
		kind  Resource
	}{
		{"Topics", TopicResource}, {"Groups", GroupResource}, {"Client metrics", ClientMetricsResource},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| Key | Type | Default | Valid | Default from | |\n|---|---|---|---|---|---|\n", r.title)
		for _, k := range Keys(r.kind) {
			if !k.Internal {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s%s |\n", k.Name, typeName(k), defaultText(k), validText(k),
					synonymText(k), statusText(k), cell(k.Doc))
			}
		}
	}
	return b.String()
}

const referenceHead = `# Configuration

<!-- Generated from the tables in internal/config: go generate ./internal/config -->

Ottla reads Apache Kafka 4.4's own keys, from a file in Java's .properties format: ` + "`ottla start --config server.properties`" + `.
` + "`--override key=value`" + ` sets a key over the file, and may be repeated. An example is examples/server.properties.

What is wrong stops the start, all of it at once, each with file and line: values that are not of their type or out of
bounds, keys that contradict each other, and unknown keys that begin with ` + "`ottla.`" + `. Keys of others that are not known
are kept, shown to whoever describes the broker's configuration, and listed in one warning.

Keys marked

- **no effect** are read, checked and shown, but change nothing: they speak of the Java runtime, of threads, or of features that
  are not there yet. Those that are set are listed in one warning at the start.
- **refused** stop the start when they are set to anything but their default, because leaving them without effect would not be safe.

Times are in milliseconds where the key ends in ` + "`.ms`" + `, sizes in bytes where it ends in ` + "`.bytes`" + `. ` + "`null`" + ` is no value.
*Changes* says how a broker key may change: at a restart, or while the broker runs, for one broker or for all
(IncrementalAlterConfigs, which is what ` + "`kafka-configs --alter`" + ` sends). Keys of topics, groups and client metrics always change while the broker runs.

A ` + "`listener.name.NAME.`" + ` prefix gives a key for one listener.

## Brokers and controllers
`

func scopeText(k Key) string {
	if slices.Contains(fixedListeners, k.Name) {
		return "at restart; not yet while it runs"
	}
	return [...]string{"at restart", "one broker", "one broker or all"}[k.Scope]
}

func typeName(k Key) string { return strings.ToLower(k.Type.String()) }

func defaultText(k Key) string {
	switch {
	case k.Required:
		return "must be set"
	case k.NoDefault:
		return "null"
	case k.Default == "":
		return "empty"
	case k.Default == "9223372036854775807" || k.Default == "1.7976931348623157E308":
		return "no limit"
	}
	return "`" + k.Default + "`"
}

func validText(k Key) string {
	if k.Valid == nil || k.Valid.String() == "" {
		return ""
	}
	return cell(k.Valid.String())
}

func statusText(k Key) string {
	return map[Status]string{Honoured: "", Accepted: "**no effect** ", Refused: "**refused** "}[k.Status]
}

func synonymText(k Key) string {
	var names []string
	for _, y := range k.Synonyms {
		names = append(names, "`"+y.Name+"`")
	}
	return strings.Join(names, ", ")
}

// cell keeps text from breaking a table.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(s) }
