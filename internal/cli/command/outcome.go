package command

// Outcome is what happened to one topic.
type Outcome struct {
	Name   string `json:"name"`
	ID     string `json:"id,omitempty"`
	Result string `json:"result"` // created, exists, deleted, absent, "would be created", …
	// Partitions and Replication are what the server chose, 0 where they do not apply.
	Partitions  int `json:"partitions,omitempty"`
	Replication int `json:"replicationFactor,omitempty"`
}

// PrintOutcomes writes what became of each of several things; kind names the JSON object, plural the list in it.
func (a *App) PrintOutcomes(kind, plural string, rows []Outcome) error {
	if len(rows) == 0 && a.Output.Value == "table" {
		return nil
	}
	columns := []Column[Outcome]{
		{Name: "NAME", Value: func(o Outcome) string { return o.Name }},
		{Name: "RESULT", Value: func(o Outcome) string { return o.Result }},
	}
	if kind == "TopicCreateResult" || kind == "TopicAlterResult" {
		columns = append(columns,
			Column[Outcome]{Name: "PARTITIONS", Value: func(o Outcome) string { return OrDash(o.Partitions > 0, int64(o.Partitions)) }, Number: true},
			Column[Outcome]{Name: "REPLICAS", Value: func(o Outcome) string { return OrDash(o.Replication > 0, int64(o.Replication)) }, Number: true})
	}
	return List(a, kind, plural, rows, columns)
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
