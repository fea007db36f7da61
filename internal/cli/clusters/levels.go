package clusters

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

const (
	metadataVersion = "metadata.version"
	// kraftVersion is the quorum's own: with 1 the voters are records of the metadata log, and their configuration has no say any more. It
	// is raised by whoever asks for it by name, and in a request of its own.
	kraftVersion = "kraft.version"
	noLevel      = int16(-1)
)

// span is the levels of a feature that a broker supports.
type span struct {
	Name string `json:"name"`
	Min  int16  `json:"supportedMin"`
	Max  int16  `json:"supportedMax"`
}

// able is what a broker can do.
type able struct {
	Broker int32 `json:"broker"`
	// Release is the release of Kafka whose metadata the broker can read, "" for one that is not known here.
	Release  string `json:"release"`
	Supports []span `json:"supports"`
}

// raise is a feature, and what becomes of it.
type raise struct {
	Name  string `json:"name"`
	Level int16  `json:"level"`
	// To is the level that it is raised to: the highest that every broker can read, or the one that was asked for.
	To int16 `json:"to"`
	// Newest is the highest level that some broker can read, or the one that was asked for.
	Newest int16 `json:"newest"`
	// HeldBackBy are the brokers that can't read Newest.
	HeldBackBy []int32 `json:"heldBackBy"`
	// ByName says that it stays as it is because it is raised by its name alone.
	ByName bool `json:"byName"`
}

// releases are those of Kafka, by the last level of metadata.version that each has.
var releases = []struct {
	level int16
	name  string
}{
	{7, "3.3"}, {8, "3.4"}, {11, "3.5"}, {14, "3.6"}, {19, "3.7"}, {20, "3.8"}, {21, "3.9"}, {25, "4.0"}, {27, "4.1"}, {29, "4.2"}, {30, "4.3"}, {33, "4.4"},
}

func toAble(id int32, answer *kmsg.ApiVersionsResponse) able {
	b := able{Broker: id, Supports: []span{}}
	for _, f := range answer.SupportedFeatures {
		b.Supports = append(b.Supports, span{f.Name, f.MinVersion, f.MaxVersion})
	}
	slices.SortFunc(b.Supports, func(x, y span) int { return strings.Compare(x.Name, y.Name) })
	for _, r := range releases {
		if r.level == b.supports(metadataVersion).Max {
			b.Release = r.name
		}
	}
	return b
}

// supports is the zero span for a feature that the broker does not know.
func (b able) supports(name string) span {
	for _, s := range b.Supports {
		if s.Name == name {
			return s
		}
	}
	return span{Name: name}
}

// plan works out what to raise: every feature that a broker knows, or those of only, to the level there unless that is noLevel.
func plan(brokers []able, finalized, only map[string]int16) *upgrade {
	newest := map[string]int16{}
	for _, b := range brokers {
		for _, s := range b.Supports {
			newest[s.Name] = max(newest[s.Name], s.Max)
		}
	}
	u := &upgrade{Brokers: brokers, Features: []raise{}}
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		level, named := only[name]
		if len(only) > 0 && !named {
			continue
		}
		r := raise{Name: name, Level: finalized[name], Newest: newest[name], HeldBackBy: []int32{}}
		if named && level != noLevel {
			r.Newest = level
		}
		r.To = r.Newest
		for _, b := range brokers {
			if most := b.supports(name).Max; most < r.Newest {
				r.HeldBackBy, r.To = append(r.HeldBackBy, b.Broker), min(r.To, most)
			}
		}
		if named && level != noLevel && len(r.HeldBackBy) > 0 {
			r.To = r.Level // that level or none
		} else if !named || level == noLevel {
			r.To = max(r.To, r.Level)
		}
		if r.ByName = name == kraftVersion && !named && r.Newest > r.Level; r.ByName {
			r.To = r.Level
		}
		u.Features = append(u.Features, r)
	}
	return u
}

// missing names what was asked for and nobody knows.
func (u *upgrade) missing(only map[string]int16) string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(only)), func(name string) bool {
		return slices.ContainsFunc(u.Features, func(r raise) bool { return r.Name == name })
	})
	return strings.Join(names, ", ")
}

// heldBack says which brokers are too old for the newest level, or "" where it was not to be raised.
func (r raise) heldBack(brokers []able) string {
	if r.ByName {
		return ""
	}
	var who []string
	for _, b := range brokers {
		if !slices.Contains(r.HeldBackBy, b.Broker) {
			continue
		}
		switch s := b.supports(r.Name); {
		case s.Max == 0:
			who = append(who, fmt.Sprintf("broker %d does not know it", b.Broker))
		default:
			who = append(who, fmt.Sprintf("broker %d can read %d to %d", b.Broker, s.Min, s.Max))
		}
	}
	if len(who) == 0 {
		return ""
	}
	return fmt.Sprintf("%s, and not %d", strings.Join(who, ", "), r.Newest)
}

// print shows the brokers, and then the features.
func (u *upgrade) print(a *command.App) error {
	if a.Output.Value != "table" {
		return a.Object("ClusterUpgrade", u)
	}
	if err := a.Table(command.TableOf(u.Brokers, ableColumns)); err != nil {
		return err
	}
	fmt.Fprintln(a.Out)
	return a.Table(command.TableOf(u.Features, raiseColumns))
}

var ableColumns = []command.Column[able]{
	{Name: "BROKER", Value: func(b able) string { return fmt.Sprint(b.Broker) }, Number: true},
	{Name: "RELEASE", Value: func(b able) string { return b.Release }},
	{Name: "SUPPORTS", Value: func(b able) string {
		var all []string
		for _, s := range b.Supports {
			all = append(all, fmt.Sprintf("%s %d-%d", s.Name, s.Min, s.Max))
		}
		return strings.Join(all, ", ")
	}},
}

var raiseColumns = []command.Column[raise]{
	{Name: "FEATURE", Value: func(r raise) string { return r.Name }},
	{Name: "LEVEL", Value: func(r raise) string { return fmt.Sprint(r.Level) }, Number: true},
	{Name: "NEWEST", Value: func(r raise) string { return fmt.Sprint(r.Newest) }, Number: true},
	{Name: "HELD BACK BY", Value: func(r raise) string { return command.IDs(r.HeldBackBy) }},
}
