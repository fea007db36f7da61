package kafkatools

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// javaLen is the length of a text as Java has it, in units of UTF-16.
func javaLen(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// pad fills a text up with blanks to a width, as %-15s of Java does.
func pad(s string, width int) string {
	if n := width - javaLen(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// column is a column of a table: its name and width. A width of 0 is the last column, which nothing follows.
type column struct {
	name  string
	width int
}

// fit widens the column for a cell.
func (c *column) fit(cell string) { c.width = max(c.width, javaLen(cell)) }

// rowOf joins cells with a blank, each padded to its column.
func rowOf(columns []column, cells []string) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(pad(cells[i], c.width))
	}
	return b.String()
}

// headings are the names of columns.
func headings(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// missing stands in a cell that has nothing to show.
const missing = "-"

// optional is the text of a number that may not be there.
func optional[T int32 | int64](n *T) string {
	if n == nil {
		return missing
	}
	return strconv.FormatInt(int64(*n), 10)
}

// orMissing is a text, or what stands for none.
func orMissing(s string) string {
	if s == "" {
		return missing
	}
	return s
}

func joinInts(all []int32, sep string) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = strconv.Itoa(int(n))
	}
	return strings.Join(words, sep)
}

// table prints rows in columns as wide as their widest cell, a tab behind each.
func (w *World) table(headers []string, rows [][]string) {
	columns := make([]column, len(headers))
	all := slices.Concat([][]string{headers}, rows)
	for _, row := range all {
		for i, cell := range row {
			columns[i].fit(cell)
		}
	}
	for _, row := range all {
		for i, cell := range row {
			w.printf("%s\t", pad(cell, columns[i].width))
		}
		w.println()
	}
}
