package kafkatools

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/testkit"
)

// TestVoters: kafka-metadata-quorum takes a voter of three out and puts it back, by a broker and by a controller, and tells Apache's lines.
func TestVoters(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{Dynamic: true})
	s := &session{t: t, n: c.Nodes[0], files: t.TempDir()}
	id := testkit.Directory(3)
	if err := os.Mkdir(filepath.Join(s.files, "n3"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.file("n3/meta.properties", fmt.Sprintf("version=1\ncluster.id=cluster\nnode.id=3\ndirectory.id=%v\n", id))
	s.file("n3.properties", fmt.Sprintf("node.id=3\nprocess.roles=broker,controller\nlog.dirs=$F/n3\ncontroller.listener.names=CONTROLLER\nlisteners=CONTROLLER://%s\n", c.Nodes[2].ControllerAddr))
	for _, by := range []string{"$S", "--bootstrap-controller $C"} {
		tool := "kafka-metadata-quorum " + by + " "
		removal := fmt.Sprintf("remove-controller --controller-id 3 --controller-directory-id %v", id)
		becomes := func(line, want string) { // a leader that is to go answers by a controller's listener when another one leads
			t.Helper()
			var got string
			testkit.Eventually(t, line, func() bool {
				before := got
				if got = s.tool(tool + line); got != want && got != before {
					t.Logf("%s\n%s", line, got)
				}
				return got == want
			})
		}
		becomes(removal, fmt.Sprintf("Removed  KRaft controller 3 with directory id %v\n", id))
		if got := s.tool(tool + removal); !strings.Contains(got, "Cannot remove voter ReplicaKey(id=3, directoryId="+id.String()+") from the set of voters") {
			t.Errorf("removed again: %s", got)
		}
		testkit.Eventually(t, "it observes", func() bool {
			return strings.Contains(s.tool(tool+"describe --status"), `CurrentObservers:       [{"id": 3, "directoryId": "ID"}]`)
		})
		becomes("--command-config $F/n3.properties add-controller", fmt.Sprintf("Added controller 3 with directory id %v and endpoints: CONTROLLER://%s\n", id, c.Nodes[2].ControllerAddr))
		if got := s.tool(tool + "describe --status"); !strings.Contains(got, "CurrentObservers:       []\n") {
			t.Errorf("afterwards: %s", got)
		}
	}
}
