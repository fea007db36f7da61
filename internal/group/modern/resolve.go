package modern

import (
	"maps"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

// Matching is paid for in steps of a matcher, some 20 ns each: one member must not stop a shard's other groups.
const (
	// mostSteps is what a shard may owe, and so the most that one turn matches, but for the name that it ends with.
	mostSteps = 2_000_000
	// stepsPerSecond is how fast that is paid off.
	stepsPerSecond = 5_000_000
	// compileSteps is what an instruction costs to compile.
	compileSteps = 20
)

// debt is what the groups of a shard have matched lately.
type debt struct {
	steps int
	at    time.Time
}

// left is how many steps may be taken now.
func (d *debt) left(now time.Time) int {
	paid := min(max(now.Sub(d.at), 0), time.Second).Nanoseconds() * stepsPerSecond / time.Second.Nanoseconds()
	d.steps, d.at = max(d.steps-int(paid), 0), now
	return mostSteps - d.steps
}

// matching are the expressions of a group while they are matched, over as many heartbeats as that takes.
type matching struct {
	version int64    // of the image that has the names
	names   []string // of all topics
	regexes []string
	matches [][]string // by regex, as far as they are done
	// The next regex is the one after matches; current is its matcher once it has begun, which has seen the names before at.
	current *matcher
	found   []string
	at      int
}

func (g *Group) beginMatching() *matching {
	m := &matching{version: int64(g.env.Image.Offset), regexes: slices.Sorted(maps.Keys(g.regexes))}
	for topic := range g.env.Image.Topics.All() {
		m.names = append(m.names, topic.Name)
	}
	slices.Sort(m.names)
	return m
}

// goOn matches for a number of steps. It returns how many it took, and whether all is matched.
func (m *matching) goOn(most int) (steps int, done bool) {
	for len(m.matches) < len(m.regexes) {
		if steps >= most {
			return steps, false
		}
		if m.current == nil {
			program, err := compileRegex(m.regexes[len(m.matches)])
			if err != nil { // it came from a log: nobody may subscribe with it
				m.matches = append(m.matches, nil)
				steps += maxProgram * compileSteps
				continue
			}
			m.current, m.found, m.at = newMatcher(program), nil, 0
			steps += len(program.Inst) * compileSteps
		}
		m.current.steps = 0
		for m.at < len(m.names) && steps+m.current.steps < most {
			if name := m.names[m.at]; m.current.match(name) {
				m.found = append(m.found, name)
			}
			m.at++
		}
		if steps += m.current.steps; m.at == len(m.names) {
			m.matches, m.current = append(m.matches, m.found), nil
		}
	}
	return steps, true
}

// resolve matches all expressions against the topics, and raises the group epoch if that changed what they match. What is
// too much for a turn is gone on with by later heartbeats of the group.
func (g *Group) resolve(t *shard.Turn) {
	most := g.env.debt.left(t.Now)
	if most <= 0 {
		return
	}
	if g.matching == nil {
		g.matching = g.beginMatching()
	}
	steps, done := g.matching.goOn(most)
	g.env.debt.steps += steps
	if !done {
		return
	}
	m := g.matching
	g.matching = nil
	bump, size := false, 0
	for i, regex := range m.regexes {
		if g.regexes[regex] == 0 {
			continue // it was given up since
		}
		var before []string
		if old := g.resolved[regex]; old != nil {
			before = old.topics
		}
		record := g.resolvedRecord(t, m, i, m.matches[i])
		if !fits(t, record) {
			record = g.resolvedRecord(t, m, i, before)
		}
		if size += shard.Size(record); t.Room > 0 && size > t.Room/2 {
			t.Cut() // if what follows is lost, a heartbeat finds that the topics are not those that the epoch rose for
			size = 0
		}
		t.Write(record)
		bump = bump || !slices.Equal(before, g.resolved[regex].topics)
	}
	if hash := g.hashTopics(); bump || hash != g.hash {
		g.writeEpoch(t, hash)
		g.stale = false
	}
}

// fits says whether a record has at most half of a batch for itself.
func fits(t *shard.Turn, r shard.Record) bool { return t.Room == 0 || shard.Size(r) <= t.Room/2 }

func (g *Group) resolvedRecord(t *shard.Turn, m *matching, i int, topics []string) schema.GroupRecord {
	return schema.GroupRecord{
		Key:   &schema.ConsumerGroupRegularExpressionKey{GroupID: g.id, RegularExpression: m.regexes[i]},
		Value: &schema.ConsumerGroupRegularExpressionValue{Topics: topics, Version: m.version, Timestamp: t.Now.UnixMilli()},
	}
}
