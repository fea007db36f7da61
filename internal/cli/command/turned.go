package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// synonyms are verbs that others have for ours.
var synonyms = map[string]string{"status": "health", "show": "describe", "remove": "delete", "rm": "delete"}

// turned suggests a command below c whose words were given the other way around, `topic create x` for `create topic x`, or without
// the noun; "" for none.
func turned(c *cobra.Command, args []string) string {
	verb, rest := args[0], args[1:]
	if hint, ok := habits[c.Name()+" "+verb]; ok {
		return hint
	}
	if ours, ok := synonyms[verb]; ok {
		verb = ours
	}
	for _, sub := range c.Commands() {
		if verb != args[0] && sub.IsAvailableCommand() && sub.Name() == verb {
			return fmt.Sprintf("did you mean `%s`?", strings.Join(append([]string{sub.CommandPath()}, rest...), " "))
		}
	}
	var found []string
	for _, noun := range c.Commands() {
		if !noun.IsAvailableCommand() {
			continue
		}
		for _, sub := range noun.Commands() {
			if !sub.IsAvailableCommand() || sub.Name() != verb && !sub.HasAlias(verb) {
				continue
			}
			if len(rest) > 0 && (rest[0] == noun.Name() || rest[0] == noun.Name()+"s") {
				return fmt.Sprintf("did you mean `%s`?", strings.Join(append([]string{sub.CommandPath()}, rest[1:]...), " "))
			}
			found = append(found, "`"+sub.CommandPath()+"`")
		}
	}
	if len(found) == 0 {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", strings.Join(found[:min(len(found), 4)], " or "))
}

// habits are flags and words of other tools that have another name here or are not needed, by the command.
var habits = map[string]string{
	"group reset":              "`ottla group seek` sets a group's offsets",
	"group reset-offsets":      "`ottla group seek` sets a group's offsets",
	"group lag":                "`ottla group describe NAME` shows it, `ottla group watch NAME` goes on",
	"config describe":          "did you mean get?",
	"consume --last":           "--offset -N begins with the last N records of each partition",
	"consume --tail":           "--offset -N begins with the last N records of each partition",
	"consume --broker-list":    "-b HOST:PORT,... names the servers",
	"produce --broker-list":    "-b HOST:PORT,... names the servers",
	"dev --port":               "--listen 127.0.0.1:PORT",
	"consume --from-beginning": "it reads from the start already; --offset end waits for what is new",
	"consume --topic":          "the topic is an argument: ottla consume TOPIC",
	"produce --topic":          "the topic is an argument: ottla produce TOPIC",
	"create --topic":           "the topic is an argument: ottla topic create NAME",
	"describe --topic":         "the topic is an argument: ottla topic describe NAME",
	"delete --topic":           "the topic is an argument: ottla topic delete NAME",
	"describe --group":         "the group is an argument: ottla group describe NAME",
}

// AlsoCalled gives a flag of cmd another name, which the help does not show.
func AlsoCalled(cmd *cobra.Command, name, other string) {
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, given string) pflag.NormalizedName {
		if given == other {
			given = name
		}
		return pflag.NormalizedName(given)
	})
}

// Plural makes of a noun's list the plural that many type first; the word list behind it adds nothing.
func (a *App) Plural(list *cobra.Command, word string) *cobra.Command {
	args, run := list.Args, list.RunE
	pattern := func(given []string) []string {
		if len(given) > 0 && (given[0] == "list" || given[0] == "ls") {
			return given[1:]
		}
		return given
	}
	list.Use, list.Hidden, list.Aliases = word+" [PATTERN]", true, nil
	list.Args = func(c *cobra.Command, given []string) error { return args(c, pattern(given)) }
	list.RunE = func(c *cobra.Command, given []string) error { return run(c, pattern(given)) }
	a.ClientFlags(list.Flags())
	return list
}
