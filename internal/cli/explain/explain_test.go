package explain

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/config"
)

var rewrite = flag.Bool("rewrite", false, "take the page of APIs anew")

// The APIs are those of docs/protocol-support.md.
func TestAPIsAreThePage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/protocol-support.md")
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile("apis.txt", page, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(page) != apiPage {
		t.Error("apis.txt is not docs/protocol-support.md: go generate ./internal/cli/explain")
	}
	served := 0
	for _, a := range allAPIs() {
		if a.Served {
			served++
		}
		if a.Served && (a.Notes == "" || a.Versions == "" || a.Listener == "") {
			t.Errorf("%s has an empty field: %+v", a.Name, a)
		}
	}
	if served < 30 || len(allAPIs()) < 80 {
		t.Errorf("%d APIs, %d served: the page is not read as it is written", len(allAPIs()), served)
	}
}

func TestWords(t *testing.T) {
	f := func(word string, errors, apis, keys string) {
		t.Helper()
		all := lookup(word)
		var e, a, k []string
		for _, one := range all.Errors {
			e = append(e, one.Name)
		}
		for _, one := range all.APIs {
			a = append(a, one.Name)
		}
		for _, one := range all.Keys {
			k = append(k, one.Of)
		}
		if got := []string{strings.Join(e, " "), strings.Join(a, " "), strings.Join(k, " ")}; got[0] != errors || got[1] != apis || got[2] != keys {
			t.Errorf("%q is %q", word, got)
		}
	}
	f("3", "UNKNOWN_TOPIC_OR_PARTITION", "Metadata", "")
	f("-1", "UNKNOWN_SERVER_ERROR", "", "")
	f("not_leader_or_follower", "NOT_LEADER_OR_FOLLOWER", "", "")
	f("NOT_LEADER_FOR_PARTITION", "NOT_LEADER_OR_FOLLOWER", "", "")
	f("NotLeaderOrFollowerException", "NOT_LEADER_OR_FOLLOWER", "", "")
	f("TopicAlreadyExists", "TOPIC_ALREADY_EXISTS", "", "")
	f("ProduceRequest", "", "Produce", "")
	f("add-partitions-to-txn", "", "AddPartitionsToTxn", "")
	f("retention.ms", "", "", "topic")
	f("compression.type", "", "", "topic broker")
	f("LOG.DIRS", "", "", "broker")
	f("nonsense", "", "", "")
}

// Every error that a person may meet has something that can be done about it.
func TestAdvice(t *testing.T) {
	without := 0
	for _, e := range allErrors() {
		if e.Meaning == "" {
			t.Errorf("%s has no meaning", e.Name)
		}
		if strings.HasSuffix(e.Advice, ".") {
			t.Errorf("%s: the advice ends in a full stop", e.Name)
		}
		if e.Advice == "" {
			without++
		}
	}
	if without > 45 {
		t.Errorf("%d errors are without advice", without)
	}
	for code := range advice {
		found := false
		for _, e := range allErrors() {
			found = found || e.Code == code
		}
		if !found {
			t.Errorf("advice for %d, which there is not", code)
		}
	}
}

func TestEveryKeyIsExplained(t *testing.T) {
	for _, r := range resources {
		for _, k := range config.Keys(r.table) {
			w := keyOf(r.of, r.table, k)
			if !k.Internal && (w.Doc == "" || w.Type == "" || w.Change == "" || w.Status == "") {
				t.Errorf("%s of a %s has an empty field: %+v", k.Name, r.of, w)
			}
		}
	}
}
