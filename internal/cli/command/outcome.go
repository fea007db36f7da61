package command

// Outcome is what happened to one thing: a topic, a group, an offset.
type Outcome struct {
	Name   string `json:"name"`
	ID     string `json:"id,omitempty"`
	Result string `json:"result"` // created, exists, deleted, absent, "would be created", …
	// Partitions and Replication are what the server chose for a topic, 0 where they do not apply.
	Partitions  int `json:"partitions,omitempty"`
	Replication int `json:"replicationFactor,omitempty"`
}

// PrintOutcomes writes what became of each of several things; kind names the JSON object, plural the list in it, more are columns beside name and result.
func (a *App) PrintOutcomes(kind, plural string, rows []Outcome, more ...Column[Outcome]) error {
	if len(rows) == 0 && a.Output.Value == "table" {
		return nil
	}
	columns := []Column[Outcome]{
		{Name: "NAME", Value: func(o Outcome) string { return o.Name }},
		{Name: "RESULT", Value: func(o Outcome) string { return o.Result }},
	}
	return List(a, kind, plural, rows, append(columns, more...))
}

// DropNotFound takes out the failures that say that a thing is not there.
func DropNotFound(errs []error) []error {
	var left []error
	for _, err := range errs {
		if codeOf(err) != NotFound {
			left = append(left, err)
		}
	}
	return left
}
