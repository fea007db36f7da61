package explain

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

// explanation is all that a word means.
type explanation struct {
	Errors []errorWord `json:"errors"`
	APIs   []apiWord   `json:"apis"`
	Keys   []keyWord   `json:"keys"`
}

// Command is `ottla explain`.
func Command(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain WORD", Short: "Say what an error, an API or a configuration key means",
		Long: "Say what a word of Kafka's means: an error by its name or code, an API by its name or key, a configuration key.\n" +
			"No server is asked.",
		Example: "  ottla explain NOT_LEADER_OR_FOLLOWER\n  ottla explain 36\n  ottla explain Produce\n  ottla explain retention.ms",
		Args:    command.Args(1, 1, "a WORD: the name or number of an error or an API, or a configuration key"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			var offered []string
			for _, w := range words() {
				if len(args) == 0 && len(prefix) <= len(w) && strings.EqualFold(w[:len(prefix)], prefix) {
					offered = append(offered, w)
				}
			}
			return offered, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			all := lookup(args[0])
			if len(all.Errors)+len(all.APIs)+len(all.Keys) == 0 {
				e := &command.Error{What: "explain", Err: fmt.Errorf("%q is no error, API or configuration key", args[0]), Exit: command.NotFound}
				if e.Hint = command.DidYouMean(args[0], words()); e.Hint == "" {
					e.Hint = "TAB completes the words that there are"
				}
				return e
			}
			if a.Output.Value != "table" {
				return a.Object("Explanation", explanation{command.OrNone(all.Errors), command.OrNone(all.APIs), command.OrNone(all.Keys)})
			}
			return printAll(a, all)
		},
	}
	a.OutputFlags(cmd.Flags())
	return a.Prints(cmd, command.ObjectOf[explanation]("Explanation"))
}

func printAll(a *command.App, all explanation) error {
	var parts []string
	for _, e := range all.Errors {
		again := "not retriable"
		if e.Retriable {
			again = "retriable"
		}
		parts = append(parts, fmt.Sprintf("%s: error %d, %s\n", e.Name, e.Code, again)+
			fields("Means", e.Meaning, "What to do", e.Advice, "Exit code", fmt.Sprintf("%d, of a command that fails with it", e.Exit)))
	}
	for _, p := range all.APIs {
		served := "versions " + p.Versions + ", at listeners of " + map[string]string{"both": "clients and controllers"}[p.Listener]
		if p.Listener != "both" {
			served = "versions " + p.Versions + ", at listeners of " + p.Listener
		}
		if !p.Served {
			served = "not yet; Kafka has versions " + p.Versions
		}
		parts = append(parts, fmt.Sprintf("%s: API %d\n", p.Name, p.Key)+fields("Served", served, "Notes", p.Notes))
	}
	for _, k := range all.Keys {
		def := "none"
		if k.Default != nil {
			def = fmt.Sprintf("%q", *k.Default)
			if k.Type != "string" && k.Type != "list" && *k.Default != "" {
				def = *k.Default
			}
		}
		name := map[bool]string{true: "ID", false: "NAME"}[k.Of == "broker"]
		set := fmt.Sprintf("ottla config set %s/%s %s=VALUE", k.Of, name, k.Name)
		if strings.HasPrefix(k.Change, "needs") {
			set = fmt.Sprintf("%s=VALUE in the server's configuration file", k.Name)
		}
		parts = append(parts, fmt.Sprintf("%s: configuration of a %s\n", k.Name, k.Of)+
			fields("Does", k.Doc, "Type", k.Type, "Default", def, "Values", k.Values, "Synonyms", strings.Join(k.Synonyms, ", "),
				"Changes", k.Change, "In Ottla", "it "+k.Status, "Set it", set))
	}
	_, err := fmt.Fprint(a.Out, strings.Join(parts, "\n"))
	return err
}

// fields writes names and texts beneath one another, without those that are empty.
func fields(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(&b, "  %-11s %s\n", pairs[i]+":", pairs[i+1])
		}
	}
	return b.String()
}
