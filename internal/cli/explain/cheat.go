package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

// sheet is the commands of one theme.
type sheet struct{ name, text string }

var sheets = []sheet{
	{"topic", `ottla topic create orders -p 3                # a topic with three partitions
ottla topic list 'order*'                     # which there are
ottla topic describe orders                   # leaders, replicas, offsets, configuration
ottla topic delete orders                     # shows what would go, and asks
`},
	{"record", `echo hello | ottla produce orders             # a record from each line
ottla produce users -K '\t' --file users.tsv  # key, tab, value
ottla consume orders                          # all that is there
ottla consume orders --follow                 # ... and what comes
ottla consume orders --offset @-1h:end        # the last hour
ottla consume orders -f '%p/%o %T %k %v\n'    # partition, offset, time, key, value
ottla consume a -o jsonl | ottla produce b -i jsonl   # copy
`},
	{"group", `ottla group list                              # who consumes
ottla group describe billing                  # members, and how far behind they are
ottla group watch billing                     # again and again
ottla group seek billing --to @-2h --dry-run  # what going two hours back would do
ottla group offsets billing --csv > kept.csv  # keep the offsets
`},
	{"output", `-o json | jsonl | yaml | csv | name | wide    # for scripts, for other programs, for more
-o 'template={{.name}} {{.partitions}}'       # of each row, by Go's text/template
-o schema                                     # the JSON Schema of what a command prints
`},
	{"server", `ottla dev                                     # a server on this machine
ottla profile add prod -b prod:9092 --use     # servers under a name
ottla profile current                         # each setting, and where it comes from
ottla cluster info                            # is it well?
ottla diag connection                         # why is it not?
ottla cluster drain 3                         # before broker 3 is stopped
ottla explain NOT_LEADER_OR_FOLLOWER          # what an error, an API or a key means
`},
}

// CheatCommand is `ottla cheat`.
func CheatCommand(a *command.App) *cobra.Command {
	var names []string
	for _, s := range sheets {
		names = append(names, s.name)
	}
	return &cobra.Command{
		Use: "cheat [THEME]", Short: "Print the commands that one needs most: " + strings.Join(names, ", "),
		Args: command.Args(0, 1, "one THEME at most"), ValidArgsFunction: cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && !slices.Contains(names, args[0]) {
				e := command.Usagef("there is no theme %q", args[0])
				if e.Hint = command.DidYouMean(args[0], names); e.Hint == "" {
					e.Hint = "there are " + strings.Join(names, ", ")
				}
				return e
			}
			for i, s := range sheets {
				switch {
				case len(args) == 0:
					fmt.Fprintf(a.Out, "%s# %s\n%s", map[bool]string{true: "\n"}[i > 0], s.name, s.text)
				case s.name == args[0]:
					fmt.Fprint(a.Out, s.text)
				}
			}
			return a.Out.Err()
		},
	}
}
