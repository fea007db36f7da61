package schema

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The page lists every record type with its key and versions.
func TestPageListsAllTypes(t *testing.T) {
	page, err := os.ReadFile("../../docs/format/metadata-records.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range MetadataKeys() {
		rec := NewMetadataRecord(key)
		first, last := rec.Versions()
		versions := fmt.Sprint(first)
		if last > first {
			versions = fmt.Sprintf("%d-%d", first, last)
		}
		name := strings.TrimPrefix(fmt.Sprintf("%T", rec), "*schema.")
		row := fmt.Sprintf("| %d | %s | %s |", key, strings.NewReplacer("IDs", "Ids", "ELR", "Elr").Replace(name), versions)
		if !strings.Contains(string(page), row) {
			t.Errorf("no row %q", row)
		}
	}
}
