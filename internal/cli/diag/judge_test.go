package diag

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestJudge runs testdata/listeners.txt: what was found about an address, and what it means.
func TestJudge(t *testing.T) {
	datadriven.RunTest(t, "testdata/listeners.txt", func(t *testing.T, d *datadriven.TestData) string {
		f := facts{node: 1, brokers: 1}
		for _, line := range strings.Split(d.Input, "\n") {
			key, value, _ := strings.Cut(line, " ")
			switch key {
			case "reached":
				f.via, f.viaIP, _ = strings.Cut(value, " ")
			case "advertised":
				host, port, _ := strings.Cut(value, " ")
				n, err := strconv.Atoi(port)
				if err != nil {
					t.Fatal(err)
				}
				f.host, f.port = host, int32(n)
			case "resolves":
				f.ips = strings.Fields(value)
			case "failure":
				f.failure = value
			case "answer":
				f.answer = value
			case "brokers":
				f.brokers, _ = strconv.Atoi(value)
			default:
				t.Fatalf("what is %q?", line)
			}
		}
		v := judge(f)
		return fmt.Sprintf("ok: %v\nproblem: %s\nfix: %s\n", v.ok, v.problem, v.fix)
	})
}
