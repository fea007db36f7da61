package settings

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/cli/command"
)

// kinds are the words for what has settings. The settings that all brokers share are a resource without a name.
var kinds = []struct {
	word  string
	kind  kmsg.ConfigResourceType
	named bool
}{
	{"topic", kmsg.ConfigResourceTypeTopic, true},
	{"broker", kmsg.ConfigResourceTypeBroker, true},
	{"brokers", kmsg.ConfigResourceTypeBroker, false},
	{"group", kmsg.ConfigResourceTypeGroupConfig, true},
	{"client-metrics", kmsg.ConfigResourceTypeClientMetrics, true},
	{"logger", kmsg.ConfigResourceTypeBrokerLogger, true},
}

const resourceGrammar = "want topic/NAME, broker/ID, brokers (what all share), group/NAME, client-metrics/NAME or logger/ID"

// resource is something that has settings.
type resource struct {
	kind kmsg.ConfigResourceType
	name string
}

// parseResource reads KIND/NAME.
func parseResource(s string) (resource, error) {
	word, name, slash := strings.Cut(s, "/")
	var words []string
	for _, k := range kinds {
		words = append(words, k.word)
		if k.word != word {
			continue
		}
		r := resource{k.kind, name}
		switch id, err := strconv.ParseInt(name, 10, 32); {
		case k.named && name == "", !k.named && slash:
			return r, refused(s, resourceGrammar)
		case k.named && (r.kind == kmsg.ConfigResourceTypeBroker || r.kind == kmsg.ConfigResourceTypeBrokerLogger) && (err != nil || id < 0):
			return r, refused(s, "a broker is named by its id, a number; `ottla cluster info` shows them")
		case r.kind == kmsg.ConfigResourceTypeTopic:
			return r, command.CheckNames([]string{name})
		}
		return r, nil
	}
	hint := command.DidYouMean(word, words)
	switch {
	case hint == "" && !slash && kafka.CheckTopicName(s) == nil:
		hint = fmt.Sprintf("did you mean topic/%s?", s)
	case hint == "" || !slash && word != "broker":
		hint = resourceGrammar
	}
	return resource{}, refused(s, hint)
}

func refused(s, hint string) error {
	e := command.Usagef("%q has no settings", s)
	e.Hint = hint
	return e
}

// String is how the command line names the resource.
func (r resource) String() string {
	for _, k := range kinds {
		if k.kind == r.kind && k.named == (r.name != "") {
			return strings.TrimSuffix(k.word+"/"+r.name, "/")
		}
	}
	return fmt.Sprintf("%d/%s", r.kind, r.name)
}

// complete offers resources, and keys behind them; keyed is false where no keys are wanted.
func complete(a *command.App, keyed bool) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && keyed {
			return completeKeys(a, cmd, args, prefix)
		}
		word, _, slash := strings.Cut(prefix, "/")
		if !slash {
			var words []string
			for _, k := range kinds {
				if k.named {
					words = append(words, k.word+"/")
				} else {
					words = append(words, k.word)
				}
			}
			words = slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, prefix) })
			return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		return a.CompleteNames(cmd, args, prefix, func(ctx context.Context, s *command.Server) ([]string, error) {
			return namesOf(ctx, s, word)
		})
	}
}

// namesOf lists the resources of one kind, as far as a server tells.
func namesOf(ctx context.Context, s *command.Server, word string) (all []string, err error) {
	switch word {
	case "topic":
		topics, err := s.Topics(ctx)
		for _, t := range topics {
			all = append(all, "topic/"+t.Name)
		}
		return all, err
	case "broker", "logger":
		brokers, err := s.Admin.ListBrokers(ctx)
		for _, b := range brokers {
			all = append(all, fmt.Sprintf("%s/%d", word, b.NodeID))
		}
		return all, err
	case "group":
		groups, err := s.Admin.ListGroups(ctx)
		for _, name := range groups.Groups() {
			all = append(all, "group/"+name)
		}
		return all, err
	}
	return nil, nil
}

func completeKeys(a *command.App, cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	r, err := parseResource(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.CompleteNames(cmd, args, prefix, func(ctx context.Context, s *command.Server) ([]string, error) {
		all, err := describe(ctx, s, r, nil)
		var keys []string
		for _, e := range all {
			keys = append(keys, e.Key)
		}
		return keys, err
	})
}
