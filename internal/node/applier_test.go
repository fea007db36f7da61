package node

import (
	"context"
	"errors"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/quorum"
)

// The disk of a partition may hang: who hands over what was committed goes on, and who waits for it is told when it is there.
func TestApplierKeepsNobodyButThoseWhoWait(t *testing.T) {
	disk := make(chan struct{})
	var seen []kafka.Offset
	f := newApplier(func(c metadata.Change) {
		<-disk
		seen = append(seen, c.Image.Offset)
	})
	go f.run()
	for offset := range kafka.Offset(3) {
		f.add(metadata.Change{Image: &metadata.Image{Offset: offset}})
	}
	patience, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.wait(patience, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("without patience: %v", err)
	}
	disk <- struct{}{}
	if err := f.wait(t.Context(), 0); err != nil {
		t.Error(err)
	}
	f.end()
	close(disk)
	if err := f.wait(t.Context(), 2); err != nil {
		t.Errorf("what was committed before the end: %v", err)
	}
	if err := f.wait(t.Context(), 3); !errors.Is(err, quorum.ErrStopped) {
		t.Errorf("what never comes: %v", err)
	}
	if len(seen) != 3 || seen[0] != 0 || seen[2] != 2 {
		t.Errorf("applied %v", seen)
	}
}
