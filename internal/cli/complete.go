package cli

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completionBudget is how long the shell waits for names from the server: beyond it, none are better.
const completionBudget = 300 * time.Millisecond

// completeTopics offers the server's topics that are not on the line yet.
func (a *app) completeTopics(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionBudget)
	defer cancel()
	a.world.Err = io.Discard
	s, err := a.connect(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer s.Close()
	all, err := s.topics(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	given := map[string]bool{}
	for _, arg := range args {
		given[arg] = true
	}
	var names []string
	for _, t := range all {
		if strings.HasPrefix(t.Name, prefix) && !given[t.Name] && (!t.Internal || prefix != "") {
			names = append(names, t.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeFlags offers the words of every flag that takes one of a few.
func completeFlags(cmd *cobra.Command, words map[string]*oneOf) {
	for name, o := range words {
		if err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(o.words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // a flag that does not exist: a mistake of ours, seen by every test
		}
	}
}
