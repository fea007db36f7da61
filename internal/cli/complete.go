package cli

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

// completeTopics offers the server's topics that are not on the line yet; internal ones only once a letter is typed.
func (a *app) completeTopics(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return a.completeNames(cmd, args, prefix, func(ctx context.Context, s *server) (names []string, err error) {
		all, err := s.topics(ctx)
		for _, t := range all {
			if !t.Internal || prefix != "" {
				names = append(names, t.Name)
			}
		}
		return names, err
	})
}

// completeGroups offers the server's groups that are not on the line yet.
func (a *app) completeGroups(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return a.completeNames(cmd, args, prefix, func(ctx context.Context, s *server) (names []string, err error) {
		all, err := s.groups(ctx)
		for _, g := range all {
			names = append(names, g.Name)
		}
		return names, err
	})
}

// completeNames asks the server for names, and offers those that begin with prefix and are not in args.
func (a *app) completeNames(cmd *cobra.Command, args []string, prefix string, ask func(context.Context, *server) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionBudget)
	defer cancel()
	a.world.Err = io.Discard
	s, err := a.connect(ctx)
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

// completeFlags offers the words of every flag that takes one of a few.
func completeFlags(cmd *cobra.Command, words map[string]*oneOf) {
	for name, o := range words {
		completeWords(cmd, name, o.words)
	}
}

func completeWords(cmd *cobra.Command, flag string, words []string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // a flag that does not exist: a mistake of ours, seen by every test
	}
}
