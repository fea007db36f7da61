package records

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/scan"
)

// TailCommand is `ottla topic tail`.
func TailCommand(a *command.App) *cobra.Command {
	c := &consumption{want: scan.Want{Verb: "tail", Follow: true}, decoding: newDecoding(), isolation: command.Choice("read_uncommitted", "read_committed")}
	var last int
	var stop bool
	cmd := &cobra.Command{
		Use:   "tail NAME...",
		Short: "Print the last records of topics, and those that come, until Ctrl-C",
		Long: "Print the last records of each partition of topics, and those that come, until Ctrl-C. Every record is led by the place where it\n" +
			"stands, coloured by partition on a terminal. -f takes the escapes of `ottla consume`.",
		Example: "  ottla topic tail orders audit\n" +
			"  ottla topic tail orders -n 1 --no-follow -f '%k\\n'",
		Args:              command.Args(1, -1, "the NAME of a topic"),
		ValidArgsFunction: a.CompleteTopics,
		RunE: func(cmd *cobra.Command, topics []string) error {
			if last < 0 {
				return command.Usagef("--last must not be negative")
			}
			c.offset = fmt.Sprintf("-%d", last)
			c.want.Follow = !stop
			if err := c.parse(a.World.Now(), topics); err != nil {
				return err
			}
			c.prefix = `%t/%p@%o  `
			return consume(cmd.Context(), a, c)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&last, "last", "n", 10, "how many of each partition that are there already")
	f.BoolVar(&stop, "no-follow", false, "end with what is there now")
	f.Int32SliceVarP(&c.want.Partitions, "partition", "p", nil, "only these partitions, `N,...`")
	f.Int64Var(&c.want.Max, "max", 0, "stop after this many records; 0 is no bound")
	f.DurationVar(&c.want.Timeout, "timeout", time.Duration(0), "stop when no record has come for this long; 0 is never")
	f.StringVarP(&c.format, "format", "f", "", "how a record is printed behind its place, a `FORMAT` with % escapes (default \"%v\\n\")")
	c.decoding.flags(cmd)
	command.AlsoCalled(cmd, "format", "template")
	f.BoolVarP(&a.Quiet, "quiet", "q", false, "no progress and no summary on standard error")
	return a.Prints(cmd, command.StreamOf[recordJSON]("RecordList", "records"))
}
