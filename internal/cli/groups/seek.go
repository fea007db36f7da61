package groups

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/span"
)

// seeking holds the flags of `ottla group seek`.
type seeking struct {
	to     string
	shift  string
	file   string
	topics []string
	csv    bool
	danger command.Danger

	aim    aim
	chosen []selection
}

func groupSeek(a *command.App) *cobra.Command {
	k := &seeking{danger: command.Danger{Does: "moves what the group consumes"}}
	cmd := &cobra.Command{
		Use:   "seek NAME",
		Short: "Set a group's committed offsets: to a place, a time, by a number of records, or from a file",
		Long: "Set the committed offsets of a group that has no members just now; it goes on from there when it is started again.\n\n" +
			"--to takes start, end, N, +N (from the start), -N (from the end), @TIME (2026-01-31, 2026-01-31T12:00:00Z,\n" +
			"milliseconds since 1970), @-1h (a duration ago), and current (where it is, or the end where it has not been).\n" +
			"--shift moves by a number of offsets, --from-file reads lines TOPIC,PARTITION,OFFSET as `ottla group offsets --csv`\n" +
			"and Kafka's own tool write them. What lies outside of the log is set to its start or its end.\n\n" +
			"Without --topic all partitions are meant that the group has committed. A group that is not there is made: of it,\n" +
			"topics must be named.",
		Example: "  ottla group seek billing --to start --dry-run\n" +
			"  ottla group seek billing --to @-2h -t orders\n" +
			"  ottla group seek billing --shift -100 -t orders:0,2 --yes\n" +
			"  ottla group seek billing --from-file billing.csv --yes",
		Args:              command.Args(1, 1, "the NAME of a group"),
		ValidArgsFunction: completeGroups(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := k.parse(a, args[0]); err != nil {
				return err
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				return seek(ctx, cmd.Context(), a, s, args[0], k)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&k.to, "to", "", "`PLACE` to go to: start, end, current, N, +N, -N, @TIME or @-DURATION")
	f.StringVar(&k.shift, "shift", "", "move by `N` offsets, back if negative")
	f.StringVar(&k.file, "from-file", "", "read the offsets from `FILE`; - is standard input")
	topicFlag(cmd, a, &k.topics)
	f.BoolVar(&k.csv, "csv", false, "print the plan or the result as lines TOPIC,PARTITION,OFFSET")
	k.danger.Flags(f)
	return a.Prints(cmd, command.ListOf[move]("GroupSeekResult", "offsets"), command.ListOf[move]("GroupSeekPlan", "offsets"))
}

// aim is where to go: one of a place, a distance or what stands in a file.
type aim struct {
	place   span.Place
	current bool
	shift   *int64
	file    map[command.PartitionKey]int64
}

func (k *seeking) parse(a *command.App, name string) error {
	given := 0
	for _, s := range []string{k.to, k.shift, k.file} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		e := command.Usagef("want one of --to, --shift and --from-file")
		e.Hint = "--to start, --to end, --to @-1h, --shift -100, --from-file F"
		return e
	}
	if err := a.MayAsk(k.danger); err != nil {
		return err
	}
	var err error
	if k.chosen, err = parseSelections(k.topics); err != nil {
		return err
	}
	switch {
	case k.shift != "":
		n, err := strconv.ParseInt(k.shift, 10, 64)
		if err != nil {
			return command.Usagef("--shift %q: want a whole number such as 100 or -100", k.shift)
		}
		k.aim.shift = &n
	case k.file != "":
		k.aim.file, err = readOffsets(a, k.file, name)
		return err
	default:
		return k.aim.parse(k.to, a.World.Now())
	}
	return nil
}

func (m *aim) parse(to string, now time.Time) error {
	var err error
	switch rest, timed := strings.CutPrefix(to, "@"); {
	case to == "current":
		m.current = true
	case timed:
		m.place, _, err = span.ParseMoment(rest, now, now)
	default:
		switch to { // Kafka's words for it
		case "earliest":
			to = "start"
		case "latest":
			to = "end"
		}
		m.place, err = span.ParsePlace(to, span.FromStart)
	}
	if err != nil {
		e := command.Usagef("--to %q is not a place", to)
		e.Hint = "want start, end, current, N, +N, -N, @TIME or @-DURATION"
		return e
	}
	return nil
}

// move is a partition whose committed offset is to be set.
type move struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      *int64 `json:"from"` // nil: none was committed
	To        int64  `json:"to"`
	Note      string `json:"note,omitempty"`
}

func (m move) key() command.PartitionKey {
	return command.PartitionKey{Topic: m.Topic, Partition: m.Partition}
}

// changes reports whether the offset is another one than now.
func (m move) changes() bool { return m.From == nil || *m.From != m.To }

var moveColumns = []command.Column[move]{
	{Name: "TOPIC", Value: func(m move) string { return m.Topic }},
	{Name: "PARTITION", Value: func(m move) string { return strconv.Itoa(int(m.Partition)) }, Number: true},
	{Name: "FROM", Value: func(m move) string { return command.OffsetText(m.From) }, Number: true},
	{Name: "TO", Value: func(m move) string { return strconv.FormatInt(m.To, 10) }, Number: true},
	{Name: "NOTE", Value: func(m move) string { return m.Note }},
}

// seek finds out what to do within ctx, and does it in a time of its own: the question may take long.
func seek(ctx, whole context.Context, a *command.App, s *command.Server, name string, k *seeking) error {
	what := fmt.Sprintf("seek group %q", name)
	d, err := lookAtGroup(ctx, s, name)
	switch {
	case err != nil:
		return s.Failed(what, err)
	case d == nil && len(k.chosen) == 0 && k.aim.file == nil:
		return missingGroup(ctx, s, what, name)
	case d == nil:
		a.Notice("there is no group %q yet: this makes it", name)
	case d.active() && k.danger.DryRun:
		a.Notice("%s: this can't be done before its consumers have stopped", command.OneLine(d.inUse()))
	case d.active():
		return s.Failed(what, d.inUse())
	}
	moves, f, err := planSeek(ctx, s, what, name, k)
	if err != nil {
		return err
	}
	if len(moves) == 0 && len(f.Errs) == 0 {
		return &command.Error{What: what, Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("the group has committed no offset there"),
			Hint: "-t TOPIC names partitions that it has not consumed yet"}
	}
	f.Done = len(moves)
	if k.danger.DryRun {
		if err := printMoves(a, "GroupSeekPlan", moves, k.csv); err != nil {
			return err
		}
		return f.Or()
	}
	if len(moves) == 0 {
		return f.Or()
	}
	var lines []string
	for _, m := range moves {
		lines = append(lines, fmt.Sprintf("set %s-%d from %s to %d", m.Topic, m.Partition, command.OffsetText(m.From), m.To))
	}
	if !slices.ContainsFunc(moves, move.changes) {
		a.Notice("the group is there already") // which is committed anew all the same: it then expires later
	} else if err := a.Confirm(k.danger, lines); err != nil {
		return err
	}
	return commitMoves(whole, a, s, name, moves, f, k.csv)
}

func commitMoves(ctx context.Context, a *command.App, s *command.Server, name string, moves []move, f *command.Failures, csv bool) error {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	offsets := kadm.Offsets{}
	for _, m := range moves {
		offsets.AddOffset(m.Topic, m.Partition, m.To, -1)
	}
	responses, err := s.Admin.CommitOffsets(ctx, name, offsets)
	if err != nil {
		return s.Failed(fmt.Sprintf("seek group %q", name), err)
	}
	var done []move
	for _, m := range moves {
		r, ok := responses.Lookup(m.Topic, m.Partition)
		if !ok {
			r.Err = command.ErrNotMentioned
		}
		if r.Err != nil {
			f.Add(s.Failed(fmt.Sprintf("seek %s-%d in group %q", m.Topic, m.Partition, name), r.Err))
			continue
		}
		done = append(done, m)
	}
	f.Done = len(done)
	if err := printMoves(a, "GroupSeekResult", done, csv); err != nil {
		return err
	}
	return f.Or()
}

func printMoves(a *command.App, kind string, moves []move, csv bool) error {
	if !csv {
		return command.List(a, kind, "offsets", moves, moveColumns)
	}
	var rows []committedRow
	for _, m := range moves {
		rows = append(rows, committedRow{Topic: m.Topic, Partition: m.Partition, Offset: m.To})
	}
	return printCSV(a, rows)
}
