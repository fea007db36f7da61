package top

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
)

// view is what the lower part of the screen lists.
type view int

const (
	topics view = iota
	groups
	brokers
)

// row is one line of a list: what is shown, and what it is sorted by, a number for each column that has one.
type row struct {
	cells   []string
	numbers []float64
}

// model is the state of the screen.
type model struct {
	prev, last *sample
	view       view
	sort       [3]int  // column, by view
	reversed   [3]bool // by view
	filter     string
	typing     bool // keys go to the filter
	paused     bool
	help       bool
	scroll     int
	trouble    string    // why there was no newer sample, "" when there was
	since      time.Time // of the trouble
}

// newModel starts with the busiest topics, the most lagging groups and brokers by id.
func newModel() *model {
	return &model{sort: [3]int{topics: 2, groups: 3, brokers: 0}, reversed: [3]bool{brokers: true}}
}

// take shows a newer sample, unless the screen is paused.
func (m *model) take(s *sample) {
	m.trouble = ""
	if m.paused {
		return
	}
	m.prev, m.last = m.last, s
}

// lose notes that there is no newer sample, and since when.
func (m *model) lose(since time.Time, why string) {
	if m.trouble == "" {
		m.since = since
	}
	m.trouble = why
}

// headings are the columns of each view. The first is a name, the others are numbers or words.
var headings = [3][]string{
	topics:  {"TOPIC", "PARTITIONS", "RECORDS/S", "RECORDS", "SIZE", "HEALTH"},
	groups:  {"GROUP", "STATE", "TOPICS", "LAG", "CONSUMED/S"},
	brokers: {"BROKER", "ADDRESS", "LEADERS", "REPLICAS", "SIZE", "RACK"},
}

// words tells the columns that are sorted as text, upwards, and stand on the left.
var words = [3][]int{topics: {0, 5}, groups: {0, 1}, brokers: {1, 5}}

// rows are the lines of the view, filtered and sorted.
func (m *model) rows() []row {
	var all []row
	switch m.view {
	case topics:
		all = m.topicRows()
	case groups:
		all = m.groupRows()
	case brokers:
		for _, b := range m.last.Brokers {
			all = append(all, row{[]string{strconv.Itoa(int(b.ID)), b.Address, strconv.Itoa(b.Leaders), strconv.Itoa(b.Replicas), sizeText(b.Bytes), b.Rack},
				[]float64{float64(b.ID), 0, float64(b.Leaders), float64(b.Replicas), float64(b.Bytes), 0}})
		}
	}
	if m.filter != "" {
		all = slices.DeleteFunc(all, func(r row) bool { return !strings.Contains(r.cells[0], m.filter) })
	}
	by := m.sort[m.view]
	slices.SortStableFunc(all, func(x, y row) int {
		c := cmp.Compare(y.numbers[by], x.numbers[by])
		if slices.Contains(words[m.view], by) {
			c = cmp.Compare(x.cells[by], y.cells[by])
		}
		if m.reversed[m.view] {
			return -c
		}
		return c
	})
	return all
}

func (m *model) topicRows() []row {
	var all []row
	for _, t := range m.last.Topics {
		rate := m.rate(t.Written, func(s *sample) (int64, bool) {
			i, ok := slices.BinarySearchFunc(s.Topics, t.Name, func(t topic, name string) int { return cmp.Compare(t.Name, name) })
			if !ok {
				return 0, false
			}
			return s.Topics[i].Written, s.Topics[i].Written >= 0
		})
		all = append(all, row{
			[]string{t.Name, strconv.Itoa(t.Partitions), rateText(rate), number(t.Records), sizeText(t.Bytes), m.healthOf(t)},
			[]float64{0, float64(t.Partitions), rate, float64(t.Records), float64(t.Bytes), 0},
		})
	}
	return all
}

func (m *model) groupRows() []row {
	var all []row
	for _, g := range m.last.Groups {
		rate := m.rate(g.Consumed, func(s *sample) (int64, bool) {
			i := slices.IndexFunc(s.Groups, func(o group) bool { return o.Name == g.Name })
			if i < 0 {
				return 0, false
			}
			return s.Groups[i].Consumed, true
		})
		all = append(all, row{
			[]string{g.Name, g.State, strconv.Itoa(g.Topics), number(g.Lag), rateText(rate)},
			[]float64{0, 0, float64(g.Topics), float64(g.Lag), rate},
		})
	}
	return all
}

// rate is by how much a counter has grown each second since the sample before; -1 when that can't be told.
func (m *model) rate(now int64, before func(*sample) (int64, bool)) float64 {
	if m.prev == nil || now < 0 {
		return -1
	}
	then, known := before(m.prev)
	passed := m.last.At.Sub(m.prev.At)
	if !known || passed <= 0 || now < then {
		return -1
	}
	return float64(now-then) / passed.Seconds()
}

// healthOf names what is wrong with a topic, "ok" when nothing is, "-" when nobody says.
func (m *model) healthOf(t topic) string {
	switch {
	case m.trouble != "":
		return "-"
	case t.Leaderless > 0:
		return command.Count(int64(t.Leaderless), "partition") + " without a leader"
	case t.Lagging > 0:
		return command.Count(int64(t.Lagging), "partition") + " under-replicated"
	}
	return "ok"
}

// written is how many records a second all topics together take.
func (m *model) written() float64 {
	sum := func(s *sample) (n int64) {
		for _, t := range s.Topics {
			n += max(t.Written, 0)
		}
		return n
	}
	return m.rate(sum(m.last), func(s *sample) (int64, bool) { return sum(s), true })
}

func number(n int64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func rateText(r float64) string {
	switch {
	case r < 0:
		return "-"
	case r > 0 && r < 10:
		return strconv.FormatFloat(r, 'f', 1, 64)
	}
	return strconv.FormatFloat(r, 'f', 0, 64)
}

func sizeText(n int64) string {
	if n < 0 {
		return "-"
	}
	return command.Size(n)
}

// clock is how the screen tells a moment.
func clock(t time.Time) string { return t.Format(time.TimeOnly) }
