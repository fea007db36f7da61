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

// So does the page of group records; share and streams groups' are not read.
func TestPageListsAllGroupTypes(t *testing.T) {
	page, err := os.ReadFile("../../docs/format/consumer-offsets.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range groupTypes {
		value := row.value()
		first, last := value.Versions()
		versions := fmt.Sprint(first)
		if last > first {
			versions = fmt.Sprintf("%d-%d", first, last)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", value), "*schema."), "Value")
		line := fmt.Sprintf("| %d | %s | %s |", row.apiKey, name, versions)
		if !strings.Contains(string(page), line) {
			t.Errorf("no row %q", line)
		}
	}
}

// The example of the page is what is written.
func TestPageShowsACommit(t *testing.T) {
	key := AppendGroupKey(nil, &OffsetCommitKey{Group: "g", Topic: "orders", Partition: 2})
	v := NewOffsetCommitValue()
	v.Offset, v.Metadata, v.CommitTimestamp = 5, "m", 1_700_000_000_000
	for i := range v.TopicID {
		v.TopicID[i] = byte(i + 1)
	}
	if got, want := fmt.Sprintf("%x", key), "0001"+"000167"+"00066f7264657273"+"00000002"; got != want {
		t.Errorf("key %s, want %s", got, want)
	}
	want := "0004" + "0000000000000005" + "ffffffff" + "026d" + "0000018bcfe56800" + "010010" + "0102030405060708090a0b0c0d0e0f10"
	if got := fmt.Sprintf("%x", AppendGroupValue(nil, &v, 4)); got != want {
		t.Errorf("value %s, want %s", got, want)
	}
}
