package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// patience is how long `ottla` alone looks for a server, so that it can say what comes next.
const patience = 300 * time.Millisecond

// firstSteps is what `ottla` alone prints behind its help: the way from here to records and a group that reads them.
func firstSteps(ctx context.Context, a *command.App) error {
	given, err := a.Settings()
	if err != nil {
		return err
	}
	where, err := given.Addresses()
	if err != nil {
		return err
	}
	topic, state := look(ctx, a, strings.Join(where, ","))
	fmt.Fprintf(a.Out, "\n%s\n", state)
	again := a.Again()
	var steps [][2]string
	if topic == "" {
		topic = "orders"
		steps = append(steps, [2]string{"ottla topic create orders" + again, "a topic"})
	}
	steps = append(steps, [][2]string{
		{"seq 3 | ottla produce " + topic + again, "a record from each line"},
		{"ottla consume " + topic + again, "all that is there"},
		{"ottla consume " + topic + " --group readers -n 1" + again, "as a group, which remembers where it was"},
		{"ottla group describe readers" + again, "its members, and how far behind it is"},
		{"ottla cheat", "more of these; ottla COMMAND --help has every flag"},
	}...)
	width := wide
	for _, s := range steps {
		width = max(width, len(s[0]))
	}
	for _, s := range steps {
		fmt.Fprintf(a.Out, "  %-*s %s\n", width, s[0], s[1])
	}
	return a.Out.Err()
}

// wide is how much room a step has at least.
const wide = 48

// look says whether a server answers, and names a topic of it, "" for none.
func look(ctx context.Context, a *command.App, where string) (topic, state string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := a.Connect(ctx)
	var e *command.Error
	switch {
	case errors.As(err, &e) && e.Exit == command.Denied:
		return "", fmt.Sprintf("A server is at %s and wants a login: `ottla profile add NAME -b %s -X sasl.username=…` keeps one. Then:", where, where)
	case err != nil && command.Starts(where) == "":
		return "", fmt.Sprintf("No server answers at %s. `ottla diag connection` looks closer; -b HOST:PORT names another. Then:", where)
	case err != nil:
		return "", fmt.Sprintf("No server answers at %s. Start one in another terminal, or name yours with -b HOST:PORT:\n  %-*s %s\nThen:",
			where, wide, command.Starts(where), "a server on this machine")
	}
	defer s.Close()
	all, err := s.Topics(ctx)
	if err != nil {
		return "", fmt.Sprintf("A server answers at %s; `ottla diag connection` says why it does not tell its topics. Then:", where)
	}
	topics, groups := 0, 0
	for _, t := range all {
		if !t.Internal {
			topic, topics = t.Name, topics+1
		}
	}
	for _, shard := range s.RequestSharded(ctx, kmsg.NewPtrListGroupsRequest()) {
		if resp, ok := shard.Resp.(*kmsg.ListGroupsResponse); ok && shard.Err == nil {
			groups += len(resp.Groups)
		}
	}
	return topic, fmt.Sprintf("A server answers at %s, with %s and %s. From here:", where,
		command.Count(int64(topics), "topic"), command.Count(int64(groups), "group"))
}
