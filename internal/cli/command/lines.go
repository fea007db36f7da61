package command

// Lines returns the table as lines of text, the head first, none wider than limit columns if its columns can shrink so far; 0 is no limit.
// It is for those who place them on a screen themselves; others have [App.Table].
func (t table) Lines(limit int) []string {
	w := t.widths(limit)
	var all []string
	for _, row := range t.cells {
		all = append(all, t.line(row, w))
	}
	return all
}
