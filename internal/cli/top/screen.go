package top

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ottla/ottla/internal/cli/command"
)

// usualWidth and usualHeight are what a terminal is taken to have that does not say.
const (
	usualWidth  = 80
	usualHeight = 24
)

var viewNames = [3]string{topics: "topics", groups: "groups", brokers: "brokers"}

const helpText = `t g b   topics, groups, brokers (Tab: the next)
s r     sort by the next column; the other way round
/       show only names with this text (Enter: done, Esc: all)
p       pause
arrows  scroll (also j, k, Page Up, Page Down)
q       quit`

// screen is the text of the screen, exactly height lines or fewer, none wider than width; bold marks what is emphasized, nil for nothing.
func (m *model) screen(width, height int, bold func(string) string) []string {
	if width <= 0 {
		width = usualWidth
	}
	if height <= 0 {
		height = usualHeight
	}
	if bold == nil {
		bold = func(s string) string { return s }
	}
	var out []string
	add := func(mark func(string) string, text string) {
		text = cut(text, width)
		if mark != nil {
			text = mark(text)
		}
		out = append(out, text)
	}
	for _, line := range m.summary() {
		add(nil, line)
	}
	if m.trouble == "" {
		add(nil, m.health())
	} else {
		add(bold, fmt.Sprintf("no answer since %s, trying again: %s", clock(m.since), m.trouble))
	}
	add(nil, m.status(width))
	add(nil, "")
	if m.help {
		for line := range strings.SplitSeq(helpText, "\n") {
			add(nil, line)
		}
		return out[:min(len(out), height)]
	}
	rows := m.rows()
	room := max(height-len(out)-1, 1)
	m.scroll = min(m.scroll, max(len(rows)-room, 0))
	lines := m.table(rows).Lines(width)
	add(bold, lines[0])
	for _, line := range lines[1+m.scroll:] {
		if len(out) == height {
			break
		}
		add(nil, line)
	}
	if len(rows) == 0 {
		add(nil, "no "+viewNames[m.view])
	}
	return out[:min(len(out), height)]
}

// summary is the cluster in a few lines.
func (m *model) summary() []string {
	var partitions int
	var bytes int64
	for _, t := range m.last.Topics {
		partitions += t.Partitions
		bytes += max(t.Bytes, 0)
	}
	return []string{
		fmt.Sprintf("cluster %s   %s, controller %s   %s", m.last.Cluster, command.Count(int64(len(m.last.Brokers)), "broker"),
			command.OrDash(m.last.Controller >= 0, int64(m.last.Controller)), clock(m.last.At)),
		fmt.Sprintf("%s, %s, %s, %s   %s records/s written", command.Count(int64(len(m.last.Topics)), "topic"), command.Count(int64(partitions), "partition"),
			command.Count(int64(len(m.last.Groups)), "group"), command.Size(bytes), rateText(m.written())),
	}
}

// health says of all topics what is wrong with them, or that nothing is.
func (m *model) health() string {
	var leaderless, lagging int64
	for _, t := range m.last.Topics {
		leaderless += int64(t.Leaderless)
		lagging += int64(t.Lagging)
	}
	if leaderless+lagging == 0 {
		return "all partitions have a leader, all replicas are in sync"
	}
	return fmt.Sprintf("%s without a leader, %s under-replicated", command.Count(leaderless, "partition"), command.Count(lagging, "partition"))
}

// status says what the keyboard has set, and how to get out, which is never cut.
func (m *model) status(width int) string {
	order := "down"
	if slices.Contains(words[m.view], m.sort[m.view]) != m.reversed[m.view] {
		order = "up"
	}
	parts := []string{fmt.Sprintf("%s by %s, %s", viewNames[m.view], strings.ToLower(headings[m.view][m.sort[m.view]]), order)}
	switch {
	case m.typing:
		parts = append(parts, "/"+m.filter+"_")
	case m.filter != "":
		parts = append(parts, "only names with "+m.filter)
	}
	if m.paused {
		parts = append(parts, "PAUSED")
	}
	const out = "   ? helps, q quits"
	return cut(strings.Join(parts, "   "), max(1, width-len(out))) + out
}

func (m *model) table(rows []row) interface{ Lines(int) []string } {
	columns := make([]command.Column[row], len(headings[m.view]))
	for i, name := range headings[m.view] {
		columns[i] = command.Column[row]{Name: name, Number: !slices.Contains(words[m.view], i), Value: func(r row) string { return r.cells[i] }}
	}
	return command.TableOf(rows, columns)
}

func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}
