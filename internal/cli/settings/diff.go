package settings

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/config"

	"github.com/ottla/ottla/internal/cli/command"
)

// Difference is a key whose value is not the same on both sides; nil stands for no value.
type Difference struct {
	Key   string  `json:"key"`
	Left  *string `json:"left"`
	Right *string `json:"right"`
	// Secret says that a value may not be shown, and so not be compared.
	Secret bool `json:"secret,omitempty"`
}

// TopicDiff is `ottla topic diff`.
func TopicDiff(a *command.App) *cobra.Command {
	return comparing(a, &cobra.Command{
		Use:   "diff NAME [NAME]",
		Short: "Show in which partitions, replicas and settings two topics differ, or one on two servers",
		Example: "  ottla topic diff orders audit\n" +
			"  ottla topic diff orders --with-server staging:9092",
		Args:              command.Args(1, 2, "one NAME or two"),
		ValidArgsFunction: a.CompleteTopics,
	}, func(args []string) (pair, error) {
		p := pair{left: resource{kmsg.ConfigResourceTypeTopic, args[0]}, facts: true}
		if len(args) == 2 {
			p.right, p.rightGiven = resource{kmsg.ConfigResourceTypeTopic, args[1]}, true
		}
		return p, command.CheckNames(args)
	})
}

func diff(a *command.App) *cobra.Command {
	return comparing(a, &cobra.Command{
		Use:   "diff RESOURCE [RESOURCE|FILE]",
		Short: "Show in which settings two differ: resources, a broker and its file, one resource on two servers",
		Long: "Show in which settings two differ: two resources, a broker and a server.properties file, a resource and its defaults\n" +
			"(when nothing else is named), or one resource on two servers (--with-server).",
		Example: "  ottla config diff topic/orders\n" +
			"  ottla config diff topic/orders topic/audit\n" +
			"  ottla config diff broker/1 server.properties\n" +
			"  ottla config diff topic/orders --with-server staging:9092",
		Args:              command.Args(1, 2, "a RESOURCE, and another or a FILE"),
		ValidArgsFunction: complete(a, false),
	}, parsePair)
}

// comparing completes a command that compares the pair that read finds in its arguments.
func comparing(a *command.App, cmd *cobra.Command, read func([]string) (pair, error)) *cobra.Command {
	var fails bool
	var other string
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if other != "" && len(args) == 2 {
			return command.Usagef("--with-server compares one thing on two servers, and %q is a second", args[1])
		}
		p, err := read(args)
		if err != nil {
			return err
		}
		var rows []Difference
		err = a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
			rows, err = p.compare(ctx, a, s, other)
			return err
		})
		if err != nil {
			return err
		}
		if err := command.List(a, "ConfigDifferenceList", "differences", rows, p.columns(other)); err != nil {
			return err
		}
		if fails && len(rows) > 0 {
			return &command.Error{What: "diff", Err: errors.New(command.Count(int64(len(rows)), "difference")), Hint: "without --exit-code this is no failure"}
		}
		return nil
	}
	cmd.Flags().StringVar(&other, "with-server", "", "compare with the same on this server, `HOST:PORT,...`")
	cmd.Flags().BoolVar(&fails, "exit-code", false, "end with exit code 1 if there is a difference")
	return a.Prints(cmd, command.ListOf[Difference]("ConfigDifferenceList", "differences"))
}

// pair is what is compared: a resource with another, with a file, or with its defaults.
type pair struct {
	left, right resource
	rightGiven  bool
	file        string
	facts       bool // compare the number of partitions and replicas too
}

// describe is [describe], with the number of partitions and replicas where these count.
func (p pair) describe(ctx context.Context, s *command.Server, r resource) ([]Entry, error) {
	all, err := describe(ctx, s, r, nil)
	if err != nil || !p.facts {
		return all, err
	}
	found, f, err := s.NamedTopics(ctx, "diff", []string{r.name})
	if err == nil {
		err = f.Or()
	}
	if err != nil {
		return nil, err
	}
	fact := func(key string, n int) Entry {
		value := strconv.Itoa(n)
		return Entry{Key: key, Value: &value}
	}
	return append(all, fact("(partitions)", len(found[0].Partitions)), fact("(replicas)", found[0].Replication())), nil
}

func parsePair(args []string) (p pair, err error) {
	if p.left, err = parseResource(args[0]); err != nil || len(args) == 1 {
		return p, err
	}
	if p.right, err = parseResource(args[1]); err == nil {
		p.rightGiven = true
		return p, nil
	}
	if _, ferr := os.Stat(args[1]); ferr == nil {
		p.file = args[1]
		return p, nil
	}
	return p, err
}

func (p pair) columns(other string) []command.Column[Difference] {
	right := "DEFAULT"
	switch {
	case p.rightGiven:
		right = p.right.String()
	case p.file != "":
		right = p.file
	case other != "":
		right = other
	}
	return []command.Column[Difference]{
		{Name: "KEY", Value: func(d Difference) string { return d.Key }},
		{Name: p.left.String(), Value: func(d Difference) string { return text(d.Left, d.Secret) }},
		{Name: right, Value: func(d Difference) string { return text(d.Right, d.Secret) }},
	}
}

func (p pair) compare(ctx context.Context, a *command.App, s *command.Server, other string) ([]Difference, error) {
	left, err := p.describe(ctx, s, p.left)
	if err != nil {
		return nil, err
	}
	switch {
	case p.file != "":
		return againstFile(left, p.file)
	case p.rightGiven:
		right, err := p.describe(ctx, s, p.right)
		return differences(left, right), err
	case other == "":
		return againstDefaults(left), nil
	}
	return elsewhere(ctx, a, other, func(ctx context.Context, o *command.Server) ([]Difference, error) {
		right, err := p.describe(ctx, o, p.left)
		return differences(left, right), err
	})
}

// elsewhere asks another server.
func elsewhere[T any](ctx context.Context, a *command.App, addresses string, ask func(context.Context, *command.Server) (T, error)) (T, error) {
	var none T
	o, err := a.ConnectElsewhere(addresses)(ctx)
	if err != nil {
		return none, err
	}
	defer o.Close()
	return ask(ctx, o)
}

// differences compares two resources; keys that only one has count.
func differences(left, right []Entry) []Difference {
	both := map[string]*Difference{}
	at := func(e Entry) *Difference {
		if both[e.Key] == nil {
			both[e.Key] = &Difference{Key: e.Key}
		}
		both[e.Key].Secret = both[e.Key].Secret || e.Sensitive
		return both[e.Key]
	}
	for _, e := range left {
		at(e).Left = e.Value
	}
	for _, e := range right {
		at(e).Right = e.Value
	}
	return unequal(both)
}

func unequal(all map[string]*Difference) []Difference {
	var rows []Difference
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if d := all[key]; !same(d.Left, d.Right) {
			rows = append(rows, *d)
		}
	}
	return rows
}

func same(x, y *string) bool {
	return x == nil && y == nil || x != nil && y != nil && *x == *y
}

func againstDefaults(all []Entry) []Difference {
	var rows []Difference
	for _, e := range all {
		if e.own && !same(e.Value, e.Default) {
			rows = append(rows, Difference{e.Key, e.Value, e.Default, e.Sensitive})
		}
	}
	return rows
}

// againstFile compares what a broker lives by with what a properties file says: keys of the file that have another value, and keys that are
// set, by a file or since, and are not in this one.
func againstFile(live []Entry, name string) ([]Difference, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, &command.Error{What: "config diff", Err: err}
	}
	props, err := config.ParseProperties(name, content)
	if err != nil {
		return nil, &command.Error{What: "config diff", Err: err, Exit: command.Usage}
	}
	both := map[string]*Difference{}
	for _, p := range props {
		both[p.Key] = &Difference{Key: p.Key, Right: &p.Value}
	}
	for _, e := range live {
		d, there := both[e.Key]
		switch {
		case there:
			d.Left, d.Secret = e.Value, e.Sensitive
		case e.own:
			both[e.Key] = &Difference{Key: e.Key, Left: e.Value, Secret: e.Sensitive}
		}
	}
	return unequal(both), nil
}
