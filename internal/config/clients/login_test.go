package clients

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

// Values are taken as Java's StreamTokenizer takes them: in quotes of both kinds, and as words.
func TestParseLogin(t *testing.T) {
	const module = "org.apache.kafka.common.security.plain.PlainLoginModule required "
	for text, want := range map[string]map[string]string{
		`username="alice" password="a b";`:         {"username": "alice", "password": "a b"},
		`username='alice' password='a b';`:         {"username": "alice", "password": "a b"},
		`username=alice password=se-cr_e.t$1;`:     {"username": "alice", "password": "se-cr_e.t$1"},
		`username=alice password='a;b' ; `:         {"username": "alice", "password": "a;b"},
		`username = "a=b"password=x`:               {"username": "a=b", "password": "x"},
		`username="q\"q" password='q\'q"\\';`:      {"username": `q"q`, "password": `q'q"\`},
		`username="a\tb\101\1011" password="\q";`:  {"username": "a\tbAA1", "password": "q"},
		"// who\nusername=a /* and */ password=b;": {"username": "a", "password": "b"},
		`username=a username="b" password="ü";`:    {"username": "b", "password": "ü"},
		`username="" password="//no /*comment";`:   {"username": "", "password": "//no /*comment"},
		`;`:                                        {},
		``:                                         {},
	} {
		got, err := ParseLogin(module + text)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

// What Java does not read is refused, rather than read as other credentials, and the refusal gives away none of it.
func TestParseLoginRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                         "ends too early",
		`Module`:                                   "ends too early",
		`= required;`:                              "no login module",
		`Module =`:                                 "no control flag",
		`Module required username;`:                "ends too early",
		`Module required username "hunter";`:       "without =",
		`Module required password=hunter@2;`:       "are quotes missing",
		`Module required password=@hunter;`:        "needs quotes",
		`Module required password=2hunter;`:        "needs quotes",
		`Module required password=-hunter;`:        "needs quotes",
		`Module required password=`:                "ends too early",
		`Module required password="hunter;`:        "needs quotes",
		`Module required a=b; Other required a=b;`: "more than one login module",
	} {
		got, err := ParseLogin(text)
		if !errors.Is(err, ErrLogin) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}
