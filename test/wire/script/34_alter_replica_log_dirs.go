package script

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// moves is what AlterReplicaLogDirs asks of one directory: topics with their partitions.
type moves struct {
	dir    string
	topics map[string][]int32
}

func alterReplicaLogDirsRequest(all ...moves) *kmsg.AlterReplicaLogDirsRequest {
	req := kmsg.NewPtrAlterReplicaLogDirsRequest()
	for _, m := range all {
		d := kmsg.NewAlterReplicaLogDirsRequestDir()
		d.Dir = m.dir
		for _, name := range slices.Sorted(maps.Keys(m.topics)) {
			t := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
			t.Topic, t.Partitions = name, m.topics[name]
			d.Topics = append(d.Topics, t)
		}
		req.Dirs = append(req.Dirs, d)
	}
	return req
}

func alterReplicaLogDirsSample(*run) kmsg.Request { return kmsg.NewPtrAlterReplicaLogDirsRequest() }

// alterReplicaLogDirs has one directory to move to: the one where all is.
func alterReplicaLogDirs(r *run) {
	r.make(newTopic(r.name("a"), 2))
	here := r.target.Dirs[0]
	one := func(dir, topic string, ns ...int32) moves { return moves{dir, map[string][]int32{topic: ns}} }
	r.do("nothing", alterReplicaLogDirsSample(r))
	r.do("where it is", alterReplicaLogDirsRequest(one(here, r.name("a"), 0)))
	r.do("both partitions", alterReplicaLogDirsRequest(one(here, r.name("a"), 0, 1)))
	r.do("a partition twice", alterReplicaLogDirsRequest(one(here, r.name("a"), 0, 0)))
	r.do("no partitions", alterReplicaLogDirsRequest(one(here, r.name("a"))))
	r.do("unknown partition", alterReplicaLogDirsRequest(one(here, r.name("a"), 7)))
	r.do("negative partition", alterReplicaLogDirsRequest(one(here, r.name("a"), -1)))
	r.do("unknown topic", alterReplicaLogDirsRequest(one(here, r.name("none"), 0)))
	r.do("empty topic", alterReplicaLogDirsRequest(one(here, "", 0)))
	r.do("unknown directory", alterReplicaLogDirsRequest(one("/no/such/dir", r.name("a"), 0)))
	r.do("unknown directory and topic", alterReplicaLogDirsRequest(one("/no/such/dir", r.name("none"), 0)))
	r.do("empty directory", alterReplicaLogDirsRequest(one("", r.name("a"), 0)))
	r.do("directory with a slash", alterReplicaLogDirsRequest(one(here+"/", r.name("a"), 0)))
	long := make([]byte, 249)
	for i := range long {
		long[i] = 'x'
	}
	r.do("long name", alterReplicaLogDirsRequest(one(here, string(long), 0)))
	r.do("long name, unknown directory", alterReplicaLogDirsRequest(one("/no/such/dir", string(long), 0)))
	r.do("two directories, the last known", alterReplicaLogDirsRequest(one("/no/such/dir", r.name("a"), 0), one(here, r.name("a"), 0)))
	r.do("two directories, the first known", alterReplicaLogDirsRequest(one(here, r.name("a"), 0), one("/no/such/dir", r.name("a"), 0)))
	r.do("the same directory twice", alterReplicaLogDirsRequest(one(here, r.name("a"), 0), one(here, r.name("a"), 1)))
	r.do("good and bad", alterReplicaLogDirsRequest(moves{here, map[string][]int32{r.name("a"): {0, 5}, r.name("none"): {0}}}))
}
