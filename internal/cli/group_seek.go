package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
)

// seeking holds the flags of `ottla group seek`.
type seeking struct {
	to     string
	shift  string
	file   string
	topics []string
	csv    bool
	danger danger

	aim    aim
	chosen []selection
}

func (a *app) groupSeek() *cobra.Command {
	k := &seeking{danger: danger{does: "moves what the group consumes"}}
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
		Args:              want(1, 1, "the NAME of a group"),
		ValidArgsFunction: a.completeGroups,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := k.parse(a, args[0]); err != nil {
				return err
			}
			return a.withServer(cmd.Context(), func(ctx context.Context, s *server) error {
				return a.seek(ctx, cmd.Context(), s, args[0], k)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&k.to, "to", "", "`PLACE` to go to: start, end, current, N, +N, -N, @TIME or @-DURATION")
	f.StringVar(&k.shift, "shift", "", "move by `N` offsets, back if negative")
	f.StringVar(&k.file, "from-file", "", "read the offsets from `FILE`; - is standard input")
	topicFlag(cmd, a, &k.topics)
	f.BoolVar(&k.csv, "csv", false, "print the plan or the result as lines TOPIC,PARTITION,OFFSET")
	k.danger.flags(f)
	return cmd
}

// aim is where to go: one of a place, a distance or what stands in a file.
type aim struct {
	place   place
	current bool
	shift   *int64
	file    map[partitionKey]int64
}

func (k *seeking) parse(a *app, name string) error {
	given := 0
	for _, s := range []string{k.to, k.shift, k.file} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		e := Usagef("want one of --to, --shift and --from-file")
		e.Hint = "--to start, --to end, --to @-1h, --shift -100, --from-file F"
		return e
	}
	if err := a.mayAsk(k.danger); err != nil {
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
			return Usagef("--shift %q: want a whole number such as 100 or -100", k.shift)
		}
		k.aim.shift = &n
	case k.file != "":
		k.aim.file, err = a.readOffsets(k.file, name)
		return err
	default:
		return k.aim.parse(k.to, a.world.Now())
	}
	return nil
}

func (m *aim) parse(to string, now time.Time) error {
	var err error
	switch rest, timed := strings.CutPrefix(to, "@"); {
	case to == "current":
		m.current = true
	case timed:
		m.place, _, err = parseMoment(rest, now, now)
	default:
		switch to { // Kafka's words for it
		case "earliest":
			to = "start"
		case "latest":
			to = "end"
		}
		m.place, err = parsePlace(to, fromStart)
	}
	if err != nil {
		e := Usagef("--to %q is not a place", to)
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

func (m move) key() partitionKey { return partitionKey{m.Topic, m.Partition} }

var moveColumns = []column[move]{
	{name: "TOPIC", value: func(m move) string { return m.Topic }},
	{name: "PARTITION", value: func(m move) string { return strconv.Itoa(int(m.Partition)) }, number: true},
	{name: "FROM", value: func(m move) string { return offsetText(m.From) }, number: true},
	{name: "TO", value: func(m move) string { return strconv.FormatInt(m.To, 10) }, number: true},
	{name: "NOTE", value: func(m move) string { return m.Note }},
}

// seek finds out what to do within ctx, and does it in a time of its own: the question may take long.
func (a *app) seek(ctx, whole context.Context, s *server, name string, k *seeking) error {
	what := fmt.Sprintf("seek group %q", name)
	d, err := s.lookAtGroup(ctx, name)
	switch {
	case err != nil:
		return s.failed(what, err)
	case d == nil && len(k.chosen) == 0 && k.aim.file == nil:
		return s.missingGroup(ctx, what, name)
	case d == nil:
		a.notice("there is no group %q yet: this makes it", name)
	case d.active() && k.danger.dryRun:
		a.notice("%s: this can't be done before its consumers have stopped", oneLine(d.inUse()))
	case d.active():
		return s.failed(what, d.inUse())
	}
	moves, f, err := s.planSeek(ctx, what, name, k)
	if err != nil {
		return err
	}
	if len(moves) == 0 && len(f.errs) == 0 {
		return &Error{What: what, Where: s.where, Exit: NotFound, Err: fmt.Errorf("the group has committed no offset there"),
			Hint: "-t TOPIC names partitions that it has not consumed yet"}
	}
	f.done = len(moves)
	if k.danger.dryRun {
		if err := a.printMoves("GroupSeekPlan", moves, k.csv); err != nil {
			return err
		}
		return f.or()
	}
	if len(moves) == 0 {
		return f.or()
	}
	var lines []string
	for _, m := range moves {
		lines = append(lines, fmt.Sprintf("set %s-%d from %s to %d", m.Topic, m.Partition, offsetText(m.From), m.To))
	}
	if err := a.confirm(k.danger, lines); err != nil {
		return err
	}
	return a.commitMoves(whole, s, name, moves, f, k.csv)
}

func (a *app) commitMoves(ctx context.Context, s *server, name string, moves []move, f *failures, csv bool) error {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	offsets := kadm.Offsets{}
	for _, m := range moves {
		offsets.AddOffset(m.Topic, m.Partition, m.To, -1)
	}
	responses, err := s.admin.CommitOffsets(ctx, name, offsets)
	if err != nil {
		return s.failed(fmt.Sprintf("seek group %q", name), err)
	}
	var done []move
	for _, m := range moves {
		r, ok := responses.Lookup(m.Topic, m.Partition)
		if !ok {
			r.Err = errNotMentioned
		}
		if r.Err != nil {
			f.add(s.failed(fmt.Sprintf("seek %s-%d in group %q", m.Topic, m.Partition, name), r.Err))
			continue
		}
		done = append(done, m)
	}
	f.done = len(done)
	if err := a.printMoves("GroupSeekResult", done, csv); err != nil {
		return err
	}
	return f.or()
}

func (a *app) printMoves(kind string, moves []move, csv bool) error {
	if !csv {
		return list(a, kind, "offsets", moves, moveColumns)
	}
	var rows []committedRow
	for _, m := range moves {
		rows = append(rows, committedRow{Topic: m.Topic, Partition: m.Partition, Offset: m.To})
	}
	return a.printCSV(rows)
}
