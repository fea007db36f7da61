package modern

import (
	"errors"
	"regexp/syntax"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/schema"
	"github.com/ottla/ottla/internal/shard"
)

const (
	// maxProgram bounds a regular expression, in bytes of its text and in instructions of its program. Kafka has no bound.
	maxProgram = 10_000
	// regexPause is the least time between two times that the expressions of a group are resolved.
	regexPause = 10 * time.Second
)

// compileRegex returns the program that matches whole names. The syntax is that of RE2, as in Kafka.
func compileRegex(text string) (*syntax.Prog, *kerr.Error) {
	fail := func(why string) *kerr.Error {
		return refuse(kerr.InvalidRegularExpression, "SubscribedTopicRegex `%s` is not a valid regular expression: %s.", text, why)
	}
	const tooLarge = "expression too large"
	if len(text) > maxProgram {
		return nil, fail(tooLarge)
	}
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		var detail *syntax.Error
		if errors.As(err, &detail) {
			return nil, fail(detail.Code.String())
		}
		return nil, fail(err.Error())
	}
	parsed, err := syntax.Parse(`\A(?:`+text+`)\z`, syntax.Perl)
	if err != nil {
		return nil, fail(err.Error())
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxProgram {
		return nil, fail(tooLarge)
	}
	return program, nil
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

// regexDue says whether the expressions of the group are to be resolved: one is new, there are new topics, it was long ago, or
// it has begun.
func (g *Group) regexDue(t *shard.Turn) bool {
	if len(g.regexes) == 0 || g.matching != nil {
		return len(g.regexes) > 0
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
