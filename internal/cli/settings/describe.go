package settings

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// Entry is one setting of a resource.
type Entry struct {
	Resource string `json:"resource"`
	Key      string `json:"key"`
	// Value is nil where there is none, and where it is secret.
	Value *string `json:"value"`
	// Default is what it would be if it were not set here: nil where that is not known.
	Default *string `json:"default"`
	// Source is where the value comes from: topic, broker, brokers, file, default, logger, group, client-metrics.
	Source    string `json:"source"`
	Sensitive bool   `json:"sensitive,omitempty"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
	Type      string `json:"type,omitempty"`

	// own says that it is set on the resource itself.
	own bool
}

var sources = map[kmsg.ConfigSource]string{
	kmsg.ConfigSourceDynamicTopicConfig:         "topic",
	kmsg.ConfigSourceDynamicBrokerConfig:        "broker",
	kmsg.ConfigSourceDynamicDefaultBrokerConfig: "brokers",
	kmsg.ConfigSourceStaticBrokerConfig:         "file",
	kmsg.ConfigSourceDefaultConfig:              "default",
	kmsg.ConfigSourceDynamicBrokerLoggerConfig:  "logger",
	kmsg.ConfigSourceClientMetricsConfig:        "client-metrics",
	kmsg.ConfigSourceGroupConfig:                "group",
}

// owns says which sources stand for "set on the resource itself". What a broker's file says is its own.
var owns = map[kmsg.ConfigResourceType][]kmsg.ConfigSource{
	kmsg.ConfigResourceTypeTopic:         {kmsg.ConfigSourceDynamicTopicConfig},
	kmsg.ConfigResourceTypeBroker:        {kmsg.ConfigSourceDynamicBrokerConfig, kmsg.ConfigSourceDynamicDefaultBrokerConfig, kmsg.ConfigSourceStaticBrokerConfig},
	kmsg.ConfigResourceTypeGroupConfig:   {kmsg.ConfigSourceGroupConfig},
	kmsg.ConfigResourceTypeClientMetrics: {kmsg.ConfigSourceClientMetricsConfig},
	kmsg.ConfigResourceTypeBrokerLogger:  {kmsg.ConfigSourceDynamicBrokerLoggerConfig},
}

// describe asks for the settings of a resource, all or those of some keys. In order of the keys.
func describe(ctx context.Context, s *command.Server, r resource, keys []string) ([]Entry, error) {
	what := "settings of " + r.String()
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.IncludeSynonyms = true
	one := kmsg.NewDescribeConfigsRequestResource()
	one.ResourceType, one.ResourceName, one.ConfigNames = r.kind, r.name, keys
	req.Resources = append(req.Resources, one)
	resp, err := req.RequestWith(ctx, s.Client)
	if err != nil {
		return nil, s.Failed(what, err)
	}
	if len(resp.Resources) != 1 {
		return nil, s.Failed(what, command.ErrNotMentioned)
	}
	got := resp.Resources[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		said := ""
		if got.ErrorMessage != nil {
			said = *got.ErrorMessage
		}
		return nil, s.Failed(what, command.Answered(err, said))
	}
	all := make([]Entry, 0, len(got.Configs))
	for _, c := range got.Configs {
		all = append(all, entry(r, c))
	}
	slices.SortFunc(all, func(x, y Entry) int { return strings.Compare(x.Key, y.Key) })
	return all, nil
}

func entry(r resource, c kmsg.DescribeConfigsResponseResourceConfig) Entry {
	e := Entry{Resource: r.String(), Key: c.Name, Value: c.Value, Source: sources[c.Source], Sensitive: c.IsSensitive, ReadOnly: c.ReadOnly}
	if e.Source == "" {
		e.Source = fmt.Sprintf("unknown (%d)", c.Source)
	}
	if c.ConfigType != 0 {
		e.Type = strings.ToLower(c.ConfigType.String())
	}
	e.own = slices.Contains(owns[r.kind], c.Source)
	if c.Source == kmsg.ConfigSourceDefaultConfig {
		e.Default = c.Value
	}
	// The first synonym is the value itself; the next is what it hides.
	for _, synonym := range c.ConfigSynonyms {
		if v := inUnitOf(c.Name, synonym); synonym.Source != c.Source && v != nil {
			e.Default = v
			break
		}
	}
	return e
}

// inUnitOf is the value of a synonym as key would have it: a broker has keys for the same time in hours, in minutes and in milliseconds.
func inUnitOf(key string, s kmsg.DescribeConfigsResponseResourceConfigConfigSynonym) *string {
	if s.Value == nil || !strings.HasSuffix(key, ".ms") {
		return s.Value
	}
	unit := map[string]time.Duration{"hours": time.Hour, "minutes": time.Minute}[s.Name[strings.LastIndex(s.Name, ".")+1:]]
	n, err := strconv.ParseInt(*s.Value, 10, 64)
	if unit == 0 || err != nil || n < 0 {
		return s.Value
	}
	return kmsg.StringPtr(strconv.FormatInt(n*unit.Milliseconds(), 10))
}

// wanted keeps the keys asked for. One that the resource does not have is a failure.
func wanted(s *command.Server, r resource, all []Entry, keys []string) ([]Entry, *command.Failures) {
	f := &command.Failures{}
	var rows []Entry
	for _, key := range keys {
		i := slices.IndexFunc(all, func(e Entry) bool { return e.Key == key })
		if i < 0 {
			f.Add(missing(s, r, all, key))
			continue
		}
		rows = append(rows, all[i])
	}
	f.Done = len(rows)
	return rows, f
}

// missing is the failure to find a key, with those of nearly the same name.
func missing(s *command.Server, r resource, all []Entry, key string) error {
	e := &command.Error{What: "settings of " + r.String(), Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("there is no key %q", key)}
	var known []string
	for _, k := range all {
		known = append(known, k.Key)
	}
	e.Hint = command.DidYouMean(key, known)
	if e.Hint == "" {
		e.Hint = fmt.Sprintf("`ottla config get %s --all` shows what there is", r)
	}
	return e
}

// text shows a value to a person.
func text(v *string, sensitive bool) string {
	switch {
	case v == nil && sensitive:
		return "(secret)"
	case v == nil:
		return "-"
	case *v == "":
		return `""`
	}
	return *v
}

var entryColumns = []command.Column[Entry]{
	{Name: "KEY", Value: func(e Entry) string { return e.Key }},
	{Name: "VALUE", Value: func(e Entry) string { return text(e.Value, e.Sensitive) }},
	{Name: "SOURCE", Value: func(e Entry) string { return e.Source }},
	{Name: "DEFAULT", Value: func(e Entry) string { return text(e.Default, false) }},
}
