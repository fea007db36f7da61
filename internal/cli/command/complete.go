package command

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ottla/ottla/internal/cli/reach"
	"github.com/ottla/ottla/internal/config"
)

const (
	// completionBudget is how long the shell waits for names from the server: beyond it, none are better.
	completionBudget = 300 * time.Millisecond
	// freshFor is how long names are offered again without asking: as long as somebody looks for the right one.
	freshFor = 5 * time.Second
)

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

// CompleteBrokers offers the ids of the brokers.
func (a *App) CompleteBrokers(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return a.CompleteNames(cmd, args, prefix, func(ctx context.Context, s *Server) (names []string, err error) {
		all, err := s.Admin.ListBrokers(ctx)
		for _, b := range all {
			names = append(names, strconv.Itoa(int(b.NodeID)))
		}
		return names, err
	})
}

// CompleteGroups offers the groups.
func (a *App) CompleteGroups(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return a.CompleteNames(cmd, args, prefix, func(ctx context.Context, s *Server) ([]string, error) {
		all, err := s.Admin.ListGroups(ctx)
		return all.Groups(), err
	})
}

// CompleteFlag offers what an argument would be offered as the value of a flag.
func CompleteFlag(cmd *cobra.Command, flag string, offer cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // as above
	}
}

// CompleteNames asks the server for names, and offers those that begin with prefix and are not in args. What ask returns may depend
// on the command, on args and on what stands in prefix up to its last slash; it is kept for some seconds.
func (a *App) CompleteNames(cmd *cobra.Command, args []string, prefix string, ask func(context.Context, *Server) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	a.World.Err = io.Discard
	names, err := a.remembered(cmd, args, prefix, ask)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, prefix) || slices.Contains(args, name) })
	return names, cobra.ShellCompDirectiveNoFileComp
}

// remembered are names that were asked for a moment ago, or else now.
func (a *App) remembered(cmd *cobra.Command, args []string, prefix string, ask func(context.Context, *Server) ([]string, error)) ([]string, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	group := fmt.Sprint(prefix == "", prefix[:strings.LastIndex(prefix, "/")+1])
	key := sha256.Sum256([]byte(strings.Join(append([]string{s.Text(reach.Servers), s.Text(reach.Username), cmd.CommandPath(), group}, args...), "\x00")))
	path := filepath.Join(a.World.CacheDir, "ottla", fmt.Sprintf("names-%x.json", key[:8]))
	var names []string
	if st, err := os.Stat(path); err == nil && a.World.CacheDir != "" && a.World.Now().Sub(st.ModTime()).Abs() < freshFor {
		if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &names) == nil {
			return names, nil
		}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionBudget)
	defer cancel()
	server, err := a.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	if names, err = ask(ctx, server); err == nil && a.World.CacheDir != "" {
		remember(path, names)
	}
	return names, err
}

// remember keeps names for the next question. Where that fails, the server is asked again.
func remember(path string, names []string) {
	text, err := json.Marshal(names)
	if err == nil && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		_ = os.WriteFile(path, text, 0o600)
	}
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

// CompleteConfigs offers KEY=VALUE of a resource, and the words that a value may be.
func CompleteConfigs(cmd *cobra.Command, flag string, r config.Resource) {
	offer := func(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		var pairs []pair
		for _, k := range config.Keys(r) {
			if !k.Internal {
				pairs = append(pairs, pair{k.Name, k.Doc, k.Words()})
			}
		}
		return offerPairs(pairs, prefix)
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // as above
	}
}

// pair is a key that may be given as KEY=VALUE.
type pair struct {
	key, doc string
	words    []string
}

// offerPairs offers keys, and behind the = of one its words.
func offerPairs(pairs []pair, prefix string) ([]string, cobra.ShellCompDirective) {
	key, _, behind := strings.Cut(prefix, "=")
	var offered []string
	for _, p := range pairs {
		switch {
		case !behind && strings.HasPrefix(p.key, prefix):
			offered = append(offered, cobra.CompletionWithDesc(p.key+"=", p.doc))
		case behind && p.key == key:
			for _, w := range p.words {
				offered = append(offered, key+"="+w)
			}
		}
	}
	if behind {
		return offered, cobra.ShellCompDirectiveNoFileComp
	}
	return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeFlags gives every flag of c that has no completion of its own one: its words, what all commands share, files for a FILE,
// and else nothing.
func (a *App) completeFlags(c *cobra.Command) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if _, has := c.GetFlagCompletionFunc(f.Name); has || c.LocalFlags().Lookup(f.Name) == nil {
			return
		}
		offer := cobra.NoFileCompletions
		word, _ := pflag.UnquoteUsage(f)
		switch v := f.Value.(type) {
		case *OneOf:
			offer = cobra.FixedCompletions(v.words, cobra.ShellCompDirectiveNoFileComp)
		case *SomeOf:
			offer = cobra.FixedCompletions(v.Words, cobra.ShellCompDirectiveNoFileComp)
		case *Shape:
			offer = cobra.FixedCompletions(shapeWords, cobra.ShellCompDirectiveNoFileComp)
		}
		switch {
		case f.Name == "config-set":
			offer = completeSettings
		case f.Name == "profile":
			offer = a.completeProfiles
		case word == "FILE" || word == "DIR" || word == "DIRectory":
			return // the shell's own files
		}
		_ = c.RegisterFlagCompletionFunc(f.Name, offer) // it can only be there already
	})
}

func completeSettings(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var pairs []pair
	for _, k := range reach.Keys() {
		pairs = append(pairs, pair{k.Name, k.Doc, k.Words})
		for _, also := range k.Also {
			if strings.HasPrefix(also, prefix) && prefix != "" {
				pairs = append(pairs, pair{also, k.Doc, k.Words})
			}
		}
	}
	return offerPairs(pairs, prefix)
}

func (a *App) completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	f, err := reach.Open(a.ProfilePath())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return f.Names(), cobra.ShellCompDirectiveNoFileComp
}
