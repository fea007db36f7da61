package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// groupsTool is kafka-consumer-groups: its options, and its client once it has one.
type groupsTool struct {
	joptTool
	w   *World
	set *jopt.Set
	c   *client

	group, topic, allTopics, allGroups                  *jopt.Option
	list, describe, delete, reset, deleteOffsets, regex *jopt.Option
	timeout                                             *jopt.Option
	dryRun, execute, export                             *jopt.Option
	toOffset, fromFile, toDatetime, byDuration, shiftBy *jopt.Option
	toEarliest, toLatest, toCurrent                     *jopt.Option
	members, verbose, offsets, state, groupType         *jopt.Option
	actions, scenarios                                  []*jopt.Option
}

func newGroupsTool(w *World) *groupsTool {
	t := &groupsTool{w: w, joptTool: newJoptTool(nil, nil)}
	p := t.Parser
	t.group = p.Accepts("group", "The group to act on.").Arg("String: consumer group")
	t.topic = p.Accepts("topic", "A topic to reset or delete offsets of, as topic or topic:0,1,2; may be given again.").Arg("String: topic")
	t.allTopics = p.Accepts("all-topics", "Reset all topics that the group has committed offsets of.")
	t.list = p.Accepts("list", "List the groups of consumers.")
	t.describe = p.Accepts("describe", "Describe groups, and how far they lag behind.")
	t.allGroups = p.Accepts("all-groups", "Act on all groups.")
	t.delete = p.Accepts("delete", "Delete groups with all that they have committed.")
	t.timeout = p.Accepts("timeout", "How long to wait for a server, in milliseconds.").Arg("Long: timeout (ms)").Default("30000")
	t.reset = p.Accepts("reset-offsets", "Move the offsets of groups without members; --execute does it, --dry-run (the default) shows the plan.")
	t.deleteOffsets = p.Accepts("delete-offsets", "Delete offsets of a group.")
	t.dryRun = p.Accepts("dry-run", "Show what --reset-offsets would do.")
	t.execute = p.Accepts("execute", "Do what --reset-offsets plans.")
	t.export = p.Accepts("export", "Print the plan as CSV.")
	t.toOffset = p.Accepts("to-offset", "Reset to an offset.").Arg("Long: offset")
	t.fromFile = p.Accepts("from-file", "Reset to what a CSV file says.").Arg("String: path to CSV file")
	t.toDatetime = p.Accepts("to-datetime", "Reset to the offset at a time, YYYY-MM-DDThh:mm:ss.sss.").Arg("String: datetime")
	t.byDuration = p.Accepts("by-duration", "Reset to the offset at a time before now, PnDTnHnMnS.").Arg("String: duration")
	t.toEarliest = p.Accepts("to-earliest", "Reset to the first offset.")
	t.toLatest = p.Accepts("to-latest", "Reset to the end.")
	t.toCurrent = p.Accepts("to-current", "Reset to what is committed.")
	t.shiftBy = p.Accepts("shift-by", "Reset by a number of offsets from what is committed, forwards or backwards.").Arg("Long: number-of-offsets")
	t.members = p.Accepts("members", "Describe the members.")
	t.verbose = p.Accepts("verbose", "Describe more.")
	t.offsets = p.Accepts("offsets", "Describe the offsets: the default.")
	t.state = p.Accepts("state", "Describe the state, or list it, or list groups of some states.").MaybeArg("String")
	t.groupType = p.Accepts("type", "List the types, or groups of some types.").MaybeArg("String")
	t.regex = p.Accepts("validate-regex", "Tell whether a regular expression is one of RE2.").Arg("String: regex")
	t.actions = []*jopt.Option{t.list, t.describe, t.delete, t.reset, t.deleteOffsets, t.regex}
	t.scenarios = []*jopt.Option{t.toOffset, t.toDatetime, t.byDuration, t.toEarliest, t.toLatest, t.toCurrent, t.shiftBy, t.fromFile}
	return t
}

func consumerGroups(ctx context.Context, w *World, args []string) int {
	t := newGroupsTool(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	about := "Lists, describes and deletes groups of consumers, and resets their offsets."
	if exit, done := t.asked(w, args, t.set, about); done {
		return exit
	}
	if err := t.check(); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	err = t.run(ctx)
	var argument *argumentError
	var parse jopt.Error
	switch {
	case err == nil:
	case errors.As(err, &parse), errors.As(err, &argument) && err == error(argument):
		return w.usage(t.Parser, err.Error())
	default:
		w.printf("\nError: Executing consumer group command failed due to %s\n", err)
	}
	return 0
}

func (t *groupsTool) run(ctx context.Context) error {
	if t.set.Has(t.regex) {
		return t.validateRegex()
	}
	millis, err := t.set.Int(t.timeout, 64)
	if err != nil {
		return err
	}
	if t.c, err = t.open(t.set); err != nil {
		return err
	}
	defer t.c.Close()
	t.c.api = time.Duration(millis) * time.Millisecond
	switch {
	case t.set.Has(t.list):
		return t.runList(ctx)
	case t.set.Has(t.describe):
		return t.runDescribe(ctx)
	case t.set.Has(t.delete):
		return t.runDelete(ctx)
	case t.set.Has(t.reset):
		return t.runReset(ctx)
	}
	return t.runDeleteOffsets(ctx)
}

// check refuses options that do not go together.
func (t *groupsTool) check() error {
	s := t.set
	if !s.Has(t.regex) {
		if all, err := t.settings(s); err != nil {
			return err
		} else if all[bootstrapServers] == "" {
			return s.CheckRequired(t.server)
		}
	}
	for o, needs := range map[*jopt.Option][]*jopt.Option{
		t.members: {t.describe}, t.verbose: {t.describe}, t.offsets: {t.describe}, t.state: {t.describe, t.list}, t.groupType: {t.list},
	} {
		if s.Has(o) && s.Count(needs...) == 0 {
			return jopt.Error(fmt.Sprintf("Option(s) %s are unavailable given other options on the command line", o))
		}
	}
	scoped := s.Has(t.group) || s.Has(t.allGroups)
	for _, o := range []*jopt.Option{t.describe, t.delete, t.reset} {
		if s.Has(o) && !scoped {
			return jopt.Error(fmt.Sprintf("Option %s takes one of these options: %s, %s", o, t.group, t.allGroups))
		}
	}
	switch {
	case s.Has(t.describe) && s.Count(t.members, t.offsets, t.state) > 1:
		return jopt.Error(fmt.Sprintf("Option %s takes at most one of these options: %s, %s, %s", t.describe, t.members, t.offsets, t.state))
	case s.Has(t.describe) && s.HasArg(t.state):
		return jopt.Error(fmt.Sprintf("Option %s does not take a value for %s", t.describe, t.state))
	case s.Has(t.delete) && s.Has(t.topic):
		return jopt.Error("The consumer does not support topic-specific offset deletion from a consumer group.")
	case s.Has(t.deleteOffsets) && s.Count(t.group, t.topic) < 2:
		return jopt.Error(fmt.Sprintf("Option %s takes the following options: %s, %s", t.deleteOffsets, t.group, t.topic))
	}
	if err := t.checkReset(); err != nil {
		return err
	}
	return t.checkScope()
}

func (t *groupsTool) checkReset() error {
	s := t.set
	if !s.Has(t.reset) {
		return nil
	}
	if s.Has(t.dryRun) && s.Has(t.execute) {
		return jopt.Error(fmt.Sprintf("Option %s only accepts one of %s and %s", t.reset, t.execute, t.dryRun))
	}
	if !s.Has(t.dryRun) && !s.Has(t.execute) {
		t.w.errorln("WARN: nothing is changed without --execute. From Kafka 5.0 on, --dry-run or --execute must be given.")
	}
	for _, o := range t.scenarios {
		if err := s.CheckInvalid(o, t.scenarios...); err != nil {
			return err
		}
	}
	return nil
}

func (t *groupsTool) checkScope() error {
	for _, err := range []error{
		t.set.CheckInvalid(t.group, t.allGroups, t.list),
		t.set.CheckInvalid(t.topic, t.list, t.describe),
	} {
		if err != nil {
			return err
		}
	}
	if t.set.Count(t.actions...) == 1 {
		return nil
	}
	var names []string
	for _, o := range t.actions {
		names = append(names, "--"+strings.Trim(o.String(), "[]"))
	}
	return jopt.Error("Command must include exactly one action: " + strings.Join(names, ", "))
}

func (t *groupsTool) validateRegex() error {
	regex, err := t.set.Value(t.regex)
	if err != nil {
		return err
	}
	if _, err := regexp.Compile(regex); err != nil {
		message := err.Error()
		var parse *syntax.Error
		if errors.As(err, &parse) {
			message = string(parse.Code)
		}
		t.w.printf("The regular expression `%s` is invalid: %s.\n", regex, message)
		return nil
	}
	t.w.printf("The regular expression `%s` is valid.\n", regex)
	return nil
}

func (t *groupsTool) runList(ctx context.Context) error {
	withType, withState := t.set.Has(t.groupType), t.set.Has(t.state)
	if !withType && !withState {
		ids, err := t.allGroupIDs(ctx)
		for _, id := range ids {
			t.w.println(id)
		}
		return err
	}
	types, err := t.filter(t.groupType, "types", groupTypes, []string{"Classic", "Consumer"})
	if err != nil {
		return err
	}
	states, err := t.filter(t.state, "state", groupStates, []string{"PreparingRebalance", "CompletingRebalance", groupStable, groupDead, groupEmpty, "Assigning", "Reconciling"})
	if err != nil {
		return err
	}
	all, err := t.c.listConsumerGroups(ctx, types, states)
	if err != nil {
		return errors.New(wrapped(err))
	}
	t.printList(all, withType, withState)
	return nil
}

// filter reads the comma-separated argument of an option: names out of a table, of which some are valid.
func (t *groupsTool) filter(o *jopt.Option, what string, table map[string]string, valid []string) ([]string, error) {
	text, err := t.set.Value(o)
	if err != nil || text == "" {
		return nil, err
	}
	var names []string
	for word := range strings.SplitSeq(text, ",") {
		name := table[strings.ToLower(strings.TrimSpace(word))]
		if !slices.Contains(valid, name) {
			return nil, argumentf("Invalid %s list '%s'. Valid %s are: %s", what, text, what, strings.Join(valid, ", "))
		}
		names = append(names, name)
	}
	return names, nil
}

func (t *groupsTool) printList(all []groupListing, withType, withState bool) {
	width := 15
	for _, g := range all {
		width = max(width, javaLen(g.id))
	}
	width += 10
	row := func(id, groupType, state string) {
		t.w.printf("%s", pad(id, width))
		if withType {
			t.w.printf(" %s", pad(groupType, 20))
		}
		if withState {
			t.w.printf(" %s", pad(state, 20))
		}
		t.w.println()
	}
	row("GROUP", "TYPE", "STATE")
	for _, g := range all {
		row(g.id, g.groupType, g.state)
	}
}

// allGroupIDs lists the groups of consumers.
func (t *groupsTool) allGroupIDs(ctx context.Context) ([]string, error) {
	all, err := t.c.listConsumerGroups(ctx, consumerTypes, nil)
	if err != nil {
		return nil, errors.New(wrapped(&futureError{err}))
	}
	ids := make([]string, len(all))
	for i, g := range all {
		ids[i] = g.id
	}
	return ids, nil
}

// groupIDs are the groups that the command line means, in the order in which a HashMap has them.
func (t *groupsTool) groupIDs(ctx context.Context) ([]string, error) {
	ids := t.set.Values(t.group)
	if t.set.Has(t.allGroups) {
		var err error
		if ids, err = t.allGroupIDs(ctx); err != nil {
			return nil, err
		}
	}
	var unique []string
	for _, id := range ids {
		if !slices.Contains(unique, id) {
			unique = append(unique, id)
		}
	}
	return java.StringOrder(java.HashOrderSized(unique, len(unique), java.HashString)), nil
}

func (t *groupsTool) printError(message string) { t.w.printf("\nError: %s\n", message) }
