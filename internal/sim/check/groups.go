package check

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
)

// commits: a group is told an offset that was committed, none that is older than one that was acknowledged before it asked (C11), and no commit of
// an older generation is acknowledged that was begun after one of a newer was (C12).
func (h *History) commits(j *judge) {
	for _, f := range h.Fetches {
		least, known := kafka.NoOffset, f.Offset == kafka.NoOffset
		late := false // one that nobody knows the end of may take effect at any time
		for _, c := range h.Commits {
			if c.Group != f.Group || c.Partition != f.Partition {
				continue
			}
			if c.OK && c.Done < f.Invoked {
				least = max(least, c.Offset)
			}
			known = known || c.Offset == f.Offset && c.Invoked < f.Done
			late = late || !c.OK && c.Offset == f.Offset && c.Invoked < f.Done
		}
		if f.Offset < least && !late {
			j.say("C11", "group %s was told offset %d of %v after %v, and had committed %d", f.Group, f.Offset, f.Partition, f.Done, least)
		}
		if !known {
			j.say("C11", "group %s was told offset %d of %v after %v, which nobody committed", f.Group, f.Offset, f.Partition, f.Done)
		}
	}
	type subject struct {
		group     string
		partition kafka.TopicPartition
	}
	type newest struct {
		generation int32
		done       time.Duration
	}
	seen := map[subject][]newest{}
	for _, c := range h.Commits {
		if c.OK {
			who := subject{c.Group, c.Partition}
			seen[who] = append(seen[who], newest{c.Generation, c.Done})
		}
	}
	for _, c := range h.Commits {
		if !c.OK {
			continue
		}
		for _, n := range seen[subject{c.Group, c.Partition}] {
			if n.done < c.Invoked && n.generation > c.Generation {
				j.say("C12", "a commit of generation %d of group %s, begun after %v, was taken though one of generation %d was after %v",
					c.Generation, c.Group, c.Invoked, n.generation, n.done)
				break
			}
		}
	}
}

// owners: in a generation a partition has one owner (C23).
func (h *History) owners(j *judge) {
	type share struct {
		group      string
		generation int32
		partition  kafka.TopicPartition
	}
	owner := map[share]string{}
	for _, o := range h.Owned {
		is := share{o.Group, o.Generation, o.Partition}
		if other, owned := owner[is]; owned && other != o.Member {
			j.say("C23", "%v has two owners in generation %d of group %s: %s and %s", o.Partition, o.Generation, o.Group, other, o.Member)
		}
		owner[is] = o.Member
	}
}
