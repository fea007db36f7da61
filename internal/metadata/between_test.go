package metadata

import (
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// TestBetween: whatever two images hold, the change between them leads from one to the other, and counts what is in both as changed.
func TestBetween(t *testing.T) {
	for seed := range uint64(60) {
		images := [2]*Image{Empty(), Empty()}
		for i := range images {
			g := newGenerator(2*seed + uint64(i))
			records := []schema.MetadataRecord{&schema.FeatureLevelRecord{Name: MetadataVersionFeature, FeatureLevel: 33}}
			for range g.rng.IntN(100) {
				records = append(records, g.record())
			}
			l := NewLoader(Empty())
			c, err := l.Replay(Batch{Offset: kafka.Offset(1000*i + len(records)), Epoch: 3, Records: records})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			images[i] = c.Image
		}
		d := Between(images[0], images[1])
		got := d.Apply(images[1].Offset, images[1].Epoch, images[1].Timestamp)
		if dump(got) != dump(images[1]) {
			t.Fatalf("seed %d:\n%s\nwant\n%s", seed, dump(got), dump(images[1]))
		}
		checkDelta(t, seed, Change{Delta: d, Image: got})
		for _, c := range d.Topics() {
			if c.After != nil && len(c.Partitions()) != len(c.After.Partitions) {
				t.Fatalf("seed %d: %d partitions of %s are changed, of %d", seed, len(c.Partitions()), c.After.Name, len(c.After.Partitions))
			}
		}
	}
}
