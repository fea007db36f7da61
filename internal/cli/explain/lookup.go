package explain

import (
	_ "embed" // apis
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/config"
)

// apiPage is docs/protocol-support.md: what is served of each API.
//
//go:embed apis.txt
var apiPage string

// errorWord is an error code.
type errorWord struct {
	Name      string `json:"name"`
	Code      int16  `json:"code"`
	Retriable bool   `json:"retriable"`
	Meaning   string `json:"meaning"`
	Advice    string `json:"advice,omitempty"`
	Exit      int    `json:"exit"` // of our commands
}

// apiWord is an API.
type apiWord struct {
	Name     string `json:"name"`
	Key      int16  `json:"key"`
	Served   bool   `json:"served"`
	Versions string `json:"versions"` // those served, or else those that Kafka has
	Listener string `json:"listeners,omitempty"`
	Notes    string `json:"notes,omitempty"`
}

// keyWord is a key of a configuration.
type keyWord struct {
	Name     string   `json:"name"`
	Of       string   `json:"of"` // topic, broker, group, client-metrics
	Type     string   `json:"type"`
	Default  *string  `json:"default"`
	Values   string   `json:"values,omitempty"`
	Doc      string   `json:"doc"`
	Synonyms []string `json:"synonyms,omitempty"` // broker keys that give the default
	Change   string   `json:"change"`             // how it may be changed
	Status   string   `json:"status"`             // what Ottla does with it
}

// oldNames are names that Kafka gave up or has beside those that kerr knows.
var oldNames = map[string]int16{"NOT_LEADER_FOR_PARTITION": 6, "NOT_LEADER_OR_FOLLOWER": 6, "GROUP_COORDINATOR_NOT_AVAILABLE": 15, "NOT_COORDINATOR_FOR_GROUP": 16, "GROUP_LOAD_IN_PROGRESS": 14}

// lastCode is beyond every error code that there is.
const lastCode = 512

// allErrors are all error codes.
var allErrors = sync.OnceValue(func() []errorWord {
	var all []errorWord
	for code := int16(-1); code < lastCode; code++ {
		e := kerr.TypedErrorForCode(code)
		if e == nil || e.Code != code {
			continue
		}
		w := errorWord{Name: e.Message, Code: code, Retriable: e.Retriable, Meaning: e.Description, Advice: command.HintFor(e), Exit: int(command.ExitOf(e))}
		if w.Advice == "" {
			w.Advice = advice[code]
		}
		if w.Code == kerr.NotLeaderForPartition.Code {
			w.Name = "NOT_LEADER_OR_FOLLOWER" // as Kafka calls it now
		}
		all = append(all, w)
	}
	return all
})

// allAPIs are those of the page, and those of Kafka that it does not list.
var allAPIs = sync.OnceValue(func() []apiWord {
	var all []apiWord
	for line := range strings.Lines(apiPage) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		key, err := strconv.ParseInt(strings.TrimSpace(cells[0]), 10, 16)
		if err != nil || len(cells) < 5 {
			continue
		}
		notes := strings.ReplaceAll(strings.Join(cells[4:], " | "), `\|`, "|")
		all = append(all, apiWord{strings.TrimSpace(cells[1]), int16(key), true, cells[2], cells[3], strings.TrimSpace(notes)})
	}
	for key := int16(0); key < kmsg.MaxKey+1; key++ {
		r := kmsg.RequestForKey(key)
		if r == nil || slices.ContainsFunc(all, func(a apiWord) bool { return a.Key == key }) {
			continue
		}
		all = append(all, apiWord{Name: strings.Replace(kmsg.NameForKey(key), "SASL", "Sasl", 1), Key: key, Versions: fmt.Sprintf("0–%d", r.MaxVersion())})
	}
	slices.SortFunc(all, func(x, y apiWord) int { return int(x.Key - y.Key) })
	return all
})

// resources are what has a table of keys, the most likely first.
var resources = []struct {
	of    string
	table config.Resource
}{{"topic", config.TopicResource}, {"broker", config.BrokerResource}, {"group", config.GroupResource}, {"client-metrics", config.ClientMetricsResource}}

func keyOf(of string, r config.Resource, k config.Key) keyWord {
	w := keyWord{Name: k.Name, Of: of, Type: strings.ToLower(k.Type.String()), Doc: k.Doc, Change: "at any time"}
	if !k.NoDefault && !k.Required {
		w.Default = &k.Default
	}
	if k.Valid != nil {
		w.Values = k.Valid.String()
	}
	for _, s := range k.Synonyms {
		w.Synonyms = append(w.Synonyms, s.Name)
	}
	if r == config.BrokerResource {
		w.Change = map[config.Scope]string{
			config.ReadOnly: "needs a restart", config.PerBroker: "at any time, for one broker", config.ClusterWide: "at any time, for one broker or all",
		}[k.Scope]
	}
	w.Status = map[config.Status]string{
		config.Honoured: "acts", config.Accepted: "is accepted and has no effect", config.Refused: "is refused: ignoring it would weaken safety",
	}[k.Status]
	return w
}

// lookup finds all that a word may mean: a name in any case, or a number.
func lookup(word string) (all explanation) {
	number, err := strconv.ParseInt(word, 10, 16)
	numeric := err == nil
	old, isOld := oldNames[strings.ToUpper(word)]
	for _, e := range allErrors() {
		if numeric && e.Code == int16(number) || isOld && e.Code == old || same(e.Name, strings.TrimSuffix(plainer(word), "exception")) {
			all.Errors = append(all.Errors, e)
		}
	}
	for _, a := range allAPIs() {
		if numeric && a.Key == int16(number) || same(a.Name, strings.TrimSuffix(plainer(word), "request")) {
			all.APIs = append(all.APIs, a)
		}
	}
	for _, r := range resources {
		if k, ok := config.Lookup(r.table, strings.ToLower(word)); ok && !k.Internal {
			all.Keys = append(all.Keys, keyOf(r.of, r.table, k))
		}
	}
	return all
}

// same compares names as people write them: NotLeaderOrFollower is NOT_LEADER_OR_FOLLOWER.
func same(name, word string) bool { return plainer(name) == plainer(word) }

func plainer(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// words are all that can be explained.
func words() []string {
	var all []string
	for _, e := range allErrors() {
		all = append(all, e.Name)
	}
	for _, a := range allAPIs() {
		all = append(all, a.Name)
	}
	for _, r := range resources {
		for _, k := range config.Keys(r.table) {
			if !k.Internal {
				all = append(all, k.Name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
