package command

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table is text in rows and columns, the first row being the head.
type table struct {
	cells  [][]string
	number []bool // by column, and so is wide
	wide   []bool
}

// TableOf makes a table of rows. A column that has nothing to say of any row is left out.
func TableOf[T any](rows []T, columns []Column[T]) table {
	var t table
	if len(rows) > 0 {
		columns = slices.DeleteFunc(slices.Clone(columns), func(c Column[T]) bool {
			return !slices.ContainsFunc(rows, func(r T) bool { return c.Value(r) != "" })
		})
	}
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = c.Name
		t.number, t.wide = append(t.number, c.Number), append(t.wide, c.Wide)
	}
	t.cells = append(t.cells, head)
	for _, r := range rows {
		line := make([]string, len(columns))
		for i, c := range columns {
			line[i] = printable(c.Value(r))
		}
		t.cells = append(t.cells, line)
	}
	return t
}

// gap stands between two columns.
const gap = "  "

// narrowest is what a column may shrink to on a narrow terminal.
const narrowest = 8

// widths returns the columns' widths, shrunk from the widest downwards until they fit into limit (0: no limit).
func (t table) widths(limit int) []int {
	w := make([]int, len(t.number))
	total := len(gap) * (len(w) - 1)
	for i := range w {
		for _, row := range t.cells {
			w[i] = max(w[i], utf8.RuneCountInString(row[i]))
		}
		total += w[i]
	}
	for limit > 0 && total > limit {
		widest := 0
		for i := range w {
			if w[i] > w[widest] {
				widest = i
			}
		}
		if w[widest] <= narrowest {
			break
		}
		w[widest]--
		total--
	}
	return w
}

// narrowed leaves out the columns that only -o wide shows.
func (t table) narrowed() table {
	var n table
	for i := range t.number {
		if !t.wide[i] {
			n.number = append(n.number, t.number[i])
		}
	}
	for _, row := range t.cells {
		var kept []string
		for i, cell := range row {
			if !t.wide[i] {
				kept = append(kept, cell)
			}
		}
		n.cells = append(n.cells, kept)
	}
	return n
}

// Table prints t. Only on a terminal is anything cut to fit or coloured: what goes to a pipe is whole.
func (a *App) Table(t table) error {
	if a.Output.word != "wide" && slices.Contains(t.wide, true) {
		t = t.narrowed()
	}
	limit := 0
	if a.World.OutTTY {
		limit = a.World.Width
	}
	w := t.widths(limit)
	for i, row := range t.cells {
		line := t.line(row, w)
		if i == 0 && a.Colours(a.World.OutTTY) {
			line = "\x1b[1m" + line + "\x1b[0m"
		}
		if _, err := io.WriteString(a.Out, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func (t table) line(row []string, w []int) string {
	var b strings.Builder
	for i, cell := range row {
		if i > 0 {
			b.WriteString(gap)
		}
		n := utf8.RuneCountInString(cell)
		if n > w[i] {
			cell = string([]rune(cell)[:w[i]-1]) + "…"
			n = w[i]
		}
		pad := strings.Repeat(" ", w[i]-n)
		if t.number[i] {
			b.WriteString(pad + cell)
		} else {
			b.WriteString(cell + pad)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// printable writes control characters as escapes: names come from whoever may join a group, and a terminal would obey them.
func printable(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
