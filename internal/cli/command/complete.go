package command

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completionBudget is how long the shell waits for names from the server: beyond it, none are better.
const completionBudget = 300 * time.Millisecond

// CompleteTopics offers the server's topics that are not on the line yet; internal ones only once a letter is typed.
func (a *App) CompleteTopics(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return a.CompleteNames(cmd, args, prefix, func(ctx context.Context, s *Server) (names []string, err error) {
		all, err := s.Topics(ctx)
		for _, t := range all {
			if !t.Internal || prefix != "" {
				names = append(names, t.Name)
			}
		}
		return names, err
	})
}

// CompleteNames asks the server for names, and offers those that begin with prefix and are not in args.
func (a *App) CompleteNames(cmd *cobra.Command, args []string, prefix string, ask func(context.Context, *Server) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionBudget)
	defer cancel()
	a.World.Err = io.Discard
	s, err := a.Connect(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer s.Close()
	names, err := ask(ctx, s)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, prefix) || slices.Contains(args, name) })
	return names, cobra.ShellCompDirectiveNoFileComp
}

// CompleteFlags offers the words of every flag that takes one of a few.
func CompleteFlags(cmd *cobra.Command, words map[string]*OneOf) {
	for name, o := range words {
		CompleteWords(cmd, name, o.words)
	}
}

// CompleteWords offers words as the values of a flag.
func CompleteWords(cmd *cobra.Command, flag string, words []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // a flag that does not exist: a mistake of ours, seen by every test
	}
}
