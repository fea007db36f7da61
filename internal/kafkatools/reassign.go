package kafkatools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const reassignAbout = "This tool helps to move topic partitions between replicas."

// reassignTool is kafka-reassign-partitions.
type reassignTool struct {
	joptTool
	w   *World
	set *jopt.Set
	c   *client

	generate, execute, verify, cancel, list *jopt.Option
	file, topics, brokers                   *jopt.Option
	noRacks, additional, keep, sameFactor   *jopt.Option
	throttle, dirThrottle, timeout          *jopt.Option
}

func newReassignTool(w *World) *reassignTool {
	t := &reassignTool{joptTool: newJoptTool(nil, nil), w: w}
	t.verify = t.Accepts("verify", "Say whether what the file wants is done, and take the throttles away when nothing moves any more.")
	t.generate = t.Accepts("generate", "Propose an assignment, and change nothing.")
	t.execute = t.Accepts("execute", "Begin what the file wants.")
	t.cancel = t.Accepts("cancel", "Take back what is under way of the file.")
	t.list = t.Accepts("list", "List all partitions that are being reassigned.")
	t.file = t.Accepts("reassignment-json-file", `A JSON file: {"partitions": [{"topic": "foo", "partition": 1, "replicas": [1,2,3], "log_dirs": ["any","/d1","any"]}], "version": 1}; log_dirs may be left out.`).Arg("String: manual assignment json file path")
	t.topics = t.Accepts("topics-to-move-json-file", `A JSON file of the topics for --generate: {"topics": [{"topic": "foo"}, {"topic": "bar"}], "version": 1}.`).Arg("String: topics to reassign json file path")
	t.brokers = t.Accepts("broker-list", "The brokers for --generate, with commas between.").Arg("String: brokerlist")
	t.noRacks = t.Accepts("disable-rack-aware", "Propose without regard to racks.")
	t.throttle = t.Accepts("throttle", "The most bytes a second that move between brokers.").Arg("Long: throttle").Default("-1")
	t.dirThrottle = t.Accepts("replica-alter-log-dirs-throttle", "The most bytes a second that move between the directories of a broker.").Arg("Long: replicaAlterLogDirsThrottle").Default("-1")
	t.timeout = t.Accepts("timeout", "How many milliseconds moves between directories have for their begin.").Arg("Long: timeout").Default("10000")
	t.additional = t.Accepts("additional", "Execute although others are under way; also to change the throttle of those.")
	t.keep = t.Accepts("preserve-throttles", "Leave the throttles as they are.")
	t.sameFactor = t.Accepts("disallow-replication-factor-change", "Refuse to change the number of replicas of a partition.")
	return t
}

func reassignMain(ctx context.Context, w *World, args []string) int {
	t := newReassignTool(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		w.errorln(err)
		return 1
	}
	if exit, done := t.asked(w, args, t.set, reassignAbout); done {
		return exit
	}
	if err := t.check(); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	all, err := t.settings(t.set)
	var unread *fs.PathError
	if errors.As(err, &unread) {
		err = errors.New(unread.Path)
	}
	if err == nil && all[bootstrapServers] == "" {
		return w.usage(t.Parser, "Please specify either --bootstrap-server or --bootstrap-controller")
	}
	if err == nil {
		err = t.run(ctx, all)
	}
	var told terseError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		w.println(told)
	default:
		w.println("Error: " + err.Error())
	}
	return 1
}

// terseError is printed as it is; every other error of the tool has a word before it.
type terseError string

// Error is the text.
func (e terseError) Error() string { return string(e) }

// check wants one action, and with it what it needs and nothing else.
func (t *reassignTool) check() error {
	actions := []*jopt.Option{t.generate, t.execute, t.verify, t.cancel, t.list}
	if t.set.Count(actions...) != 1 {
		return jopt.Error("Command must include exactly one action: --generate, --execute, --verify, --cancel, --list")
	}
	if t.set.Count(t.server, t.controller) == 2 {
		return jopt.Error("Please don't specify both --bootstrap-server and --bootstrap-controller")
	}
	action := actions[slices.IndexFunc(actions, t.set.Has)]
	needed, taken := t.belonging(action)
	if err := t.set.CheckRequired(needed...); err != nil {
		return err
	}
	taken = slices.Concat(taken, needed, t.configs, t.properties, []*jopt.Option{action, t.server})
	for _, o := range t.set.Given {
		if !slices.Contains(taken, o) {
			return jopt.Error(fmt.Sprintf("Option %q can't be used with action %q", o.String(), action.String()))
		}
	}
	return nil
}

// belonging are the options that an action needs, and others that it takes.
func (t *reassignTool) belonging(action *jopt.Option) (needed, taken []*jopt.Option) {
	switch action {
	case t.generate:
		return []*jopt.Option{t.topics, t.brokers}, []*jopt.Option{t.noRacks}
	case t.execute:
		return []*jopt.Option{t.file}, []*jopt.Option{t.additional, t.throttle, t.dirThrottle, t.timeout, t.sameFactor}
	case t.verify:
		return []*jopt.Option{t.file}, []*jopt.Option{t.keep}
	case t.cancel:
		return []*jopt.Option{t.file}, []*jopt.Option{t.keep, t.timeout, t.controller}
	default:
		return nil, []*jopt.Option{t.controller}
	}
}

func (t *reassignTool) run(ctx context.Context, s settings) error {
	s["client.id"] = cmp.Or(s["client.id"], "reassign-partitions-tool")
	var err error
	if t.c, err = open(s); err != nil {
		t.w.errorln(err)
		return errors.New("Failed to create new KafkaAdminClient")
	}
	defer t.c.Close()
	switch {
	case t.set.Has(t.list):
		return t.runList(ctx)
	case t.set.Has(t.generate):
		return t.runGenerate(ctx)
	case t.set.Has(t.execute):
		return t.runExecute(ctx)
	case t.set.Has(t.cancel):
		return t.runCancel(ctx)
	default:
		return t.runVerify(ctx)
	}
}

// readFile reads the file that an option names.
func (t *reassignTool) readFile(o *jopt.Option) ([]byte, error) {
	name, err := t.set.Value(o)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("Unable to read file " + name)
	}
	return text, err
}

func (t *reassignTool) readReassignments() (wantedFile, error) {
	text, err := t.readFile(t.file)
	if err != nil {
		return wantedFile{}, err
	}
	return parseReassignments(text)
}

// runList is --list.
func (t *reassignTool) runList(ctx context.Context) error {
	all, err := t.c.reassignments(ctx, nil)
	if err != nil {
		return inFuture(err)
	}
	if len(all) == 0 {
		t.w.println("No partition reassignments found.")
		return nil
	}
	t.w.println("Current partition reassignments:")
	for _, tp := range sortedPartitions(all) {
		r := all[tp]
		t.w.printf("%s: replicas: %s.", tp, joinInts(r.replicas, ","))
		if len(r.adding) > 0 {
			t.w.printf(" adding: %s.", joinInts(r.adding, ","))
		}
		if len(r.removing) > 0 {
			t.w.printf(" removing: %s.", joinInts(r.removing, ","))
		}
		t.w.println()
	}
	return nil
}

// inFuture is how Java words an error that came out of a future: with its class.
func inFuture(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(javaFull(err))
}
