package modern

import (
	"errors"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

const (
	// maxProgram bounds a regular expression, in instructions of its program: to match a name takes no more steps than their
	// product. Kafka has no bound.
	maxProgram = 10_000
	// regexPause is the least time between two times that the expressions of a group are resolved.
	regexPause = 10 * time.Second
)

// compileRegex returns what matches whole names. The syntax is that of RE2, as in Kafka.
func compileRegex(text string) (*regexp.Regexp, *kerr.Error) {
	fail := func(why string) *kerr.Error {
		return refuse(kerr.InvalidRegularExpression, "SubscribedTopicRegex `%s` is not a valid regular expression: %s.", text, why)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		var detail *syntax.Error
		if errors.As(err, &detail) {
			return nil, fail(detail.Code.String())
		}
		return nil, fail(err.Error())
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return nil, fail("expression too large")
	}
	compiled, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, fail(err.Error())
	}
	return compiled, nil
}

// hearRegex forgets what nobody subscribes to any more. It reports whether a member changed its expression, whether it is
// known what the new one matches, and whether the expressions are to be resolved: when that was done last is told by those
// that were there before, also by one that is forgotten now.
func (g *Group) hearRegex(t *shard.Turn, was, now string) (changed, known, due bool) {
	due = g.regexDue(t)
	if was == now {
		return false, false, due
	}
	g.dropRegex(t, was)
	return true, now == "" || g.resolved[now] != nil, due
}

// dropRegex writes the tombstone of an expression, if nobody subscribes to it any more.
func (g *Group) dropRegex(t *shard.Turn, regex string) {
	if regex != "" && g.regexes[regex] == 0 {
		g.write(t, &schema.ConsumerGroupRegularExpressionKey{GroupID: g.id, RegularExpression: regex}, nil)
	}
}

// regexDue says whether the expressions of the group are to be resolved: one is new, there are new topics, or it was long ago.
func (g *Group) regexDue(t *shard.Turn) bool {
	if len(g.regexes) == 0 {
		return false
	}
	var last *resolved
	for _, r := range g.resolved {
		if last == nil || r.at > last.at {
			last = r
		}
	}
	if last == nil {
		return true
	}
	now := t.Now.UnixMilli()
	return now > last.at+regexPause.Milliseconds() &&
		(len(g.regexes) != len(g.resolved) || last.version < int64(g.env.newTopics) || now > last.at+g.env.Config.RegexRefresh.Milliseconds())
}

// resolve matches all expressions against the topics, and raises the group epoch if that changed what they match.
func (g *Group) resolve(t *shard.Turn) {
	compiled, matches := make(map[string]*regexp.Regexp), make(map[string][]string)
	for regex := range g.regexes {
		if c, err := compileRegex(regex); err == nil {
			compiled[regex] = c
		}
	}
	for topic := range g.env.Image.Topics.All() {
		for regex, c := range compiled {
			if c.MatchString(topic.Name) {
				matches[regex] = append(matches[regex], topic.Name)
			}
		}
	}
	bump := false
	for _, regex := range slices.Sorted(maps.Keys(g.regexes)) {
		topics := distinct(matches[regex])
		var before []string
		if old := g.resolved[regex]; old != nil {
			before = old.topics
		}
		bump = bump || !slices.Equal(before, topics)
		g.write(t, &schema.ConsumerGroupRegularExpressionKey{GroupID: g.id, RegularExpression: regex},
			&schema.ConsumerGroupRegularExpressionValue{Topics: topics, Version: int64(g.env.Image.Offset), Timestamp: t.Now.UnixMilli()})
	}
	if hash := g.hashTopics(); bump || hash != g.hash {
		g.writeEpoch(t, hash)
		g.stale = false
	}
}
