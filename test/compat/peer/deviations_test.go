package peer

import "testing"

func TestDeviationRows(t *testing.T) {
	d, err := ParseDeviations("# Deviations\n\n| where | Kafka | Ottla |\n|---|---|---|\n"+
		"| `compat java consume/none` | a | b |\n| `compat * configs/*` | a | b |\n| `compat tools api/{Join,Leave}Group(*)` | a | b |\n"+
		"| `wire 00_produce/x/*` | a | b |\n", "compat")
	if err != nil || len(d) != 3 {
		t.Fatalf("read %d rows, %v", len(d), err)
	}
	for _, c := range []struct {
		client, step string
		want         bool
	}{
		{"java", "consume/none", true},
		{"java", "consume/none2", false},
		{"kcat", "consume/none", false},
		{"kcat", "configs/alter", true},
		{"tools", "api/JoinGroup(11)", true},
		{"tools", "api/LeaveGroup(13)", true},
		{"tools", "api/SyncGroup(14)", false},
	} {
		if got := d.Has(c.client + " " + c.step); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.client, c.step, got, c.want)
		}
	}
}
