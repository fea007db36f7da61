package records

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/scan"
	"github.com/ottla/ottla/internal/cli/span"
)

// spot is TOPIC/P@OFFSET.
type spot struct {
	command.PartitionKey
	at span.Place
}

func parseSpot(s string) (spot, error) {
	wrong := command.Usagef("%q: want TOPIC/PARTITION@OFFSET, such as orders/0@47; OFFSET may be start, or -1 for the last", s)
	topic, rest, slash := strings.Cut(s, "/")
	partition, offset, at := strings.Cut(rest, "@")
	p, err := strconv.ParseInt(partition, 10, 32)
	if !slash || !at || err != nil || p < 0 {
		return spot{}, wrong
	}
	if err := command.CheckNames([]string{topic}); err != nil {
		return spot{}, err
	}
	place, err := span.ParsePlace(offset, span.FromStart)
	if err != nil {
		return spot{}, wrong
	}
	return spot{command.PartitionKey{Topic: topic, Partition: int32(p)}, place}, nil
}

// oneRecord shows a record to a person with all that there is to it.
const oneRecord = `%t/%p@%o\n` +
	`Time:     %d{go##2006-01-02T15:04:05.000Z##}\n` +
	`Headers:  %h\n` +
	`Key:      %k\n` +
	`Value:    %v\n`

func recordGet(a *command.App) *cobra.Command {
	var format string
	d := newDecoding()
	cmd := &cobra.Command{
		Use:   "get TOPIC/PARTITION@OFFSET...",
		Short: "Print single records",
		Long: "Print single records. OFFSET is a number, +N (from the start), -N (from the end, -1 is the last) or start.\n" +
			"-f takes the escapes of `ottla consume`.",
		Example: "  ottla record get orders/0@47\n" +
			"  ottla record get orders/0@-1 --decode pretty",
		Args: command.Args(1, -1, "a TOPIC/PARTITION@OFFSET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var spots []spot
			for _, arg := range args {
				s, err := parseSpot(arg)
				if err != nil {
					return err
				}
				spots = append(spots, s)
			}
			a.Quiet = true // what is got is seen
			out, err := newPrinter(a, "got", format, oneRecord, &d)
			if err != nil {
				return err
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				f := &command.Failures{}
				err := out.around(func() error {
					for _, at := range spots {
						if err := at.get(ctx, a, s, out); err != nil {
							f.Add(err)
							continue
						}
						f.Done++
					}
					return nil
				})
				if err != nil {
					return err
				}
				return f.Or()
			})
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			names, directive := a.CompleteTopics(cmd, args, prefix)
			for i := range names {
				names[i] += "/0@"
			}
			return names, directive | cobra.ShellCompDirectiveNoSpace
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "how a record is printed, a `FORMAT` with % escapes")
	d.flags(cmd)
	command.AlsoCalled(cmd, "format", "template")
	return a.Prints(cmd, command.StreamOf[recordJSON]("RecordList", "records"))
}

// get prints the record at a spot, and says what there is instead when there is none.
func (p spot) get(ctx context.Context, a *command.App, s *command.Server, out *printer) error {
	w := &scan.Want{Verb: "get", Topics: []string{p.Topic}, Partitions: []int32{p.Partition}, Control: true,
		Span: span.Range{From: p.at, To: span.Place{Kind: span.End}}}
	plan, err := w.Plan(ctx, a, s)
	if err != nil {
		return err
	}
	part := plan.Ranges()[0]
	asked := part.From
	if p.at.Kind == span.Exact {
		asked = p.at.N
	}
	missing := &command.Error{What: fmt.Sprintf("get %s/%d@%d", p.Topic, p.Partition, asked), Where: s.Where, Exit: command.NotFound}
	if asked >= part.To {
		missing.Err = fmt.Errorf("there is no such record: the partition ends before offset %d", part.To)
		return missing
	}
	at, r, err := w.First(ctx, s, p.PartitionKey, part.From)
	switch {
	case err != nil:
		return err
	case r == nil:
		missing.Err = fmt.Errorf("there is no record at this offset, nor behind it")
		return missing
	case p.at.Kind == span.Exact && r.Offset != asked:
		missing.Err = fmt.Errorf("there is no record at this offset")
		missing.Hint = fmt.Sprintf("the next is %s/%d@%d", p.Topic, p.Partition, r.Offset)
		return missing
	}
	return out.print(at, r)
}
