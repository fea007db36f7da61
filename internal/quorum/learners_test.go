package quorum

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

// A directory that was formatted by a file that names voters, and is used by one that leaves them to the log, has nobody's: its node looks for a leader.
func TestVotersLeftToTheLog(t *testing.T) {
	fs := vfs.NewMem()
	if err := fs.Mkdir("/data"); err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(fs, "/data")
	if err := metalog.WriteBootstrap(fs, cfg.Dir, metalog.Voters{}, controller.DefaultBootstrap(), 0); err != nil {
		t.Fatal(err)
	}
	looks := make(chan []Voter, 1)
	cfg.Voters, cfg.Tick = nil, time.Millisecond
	cfg.Introduce = func(ctx context.Context, known []Voter) (Voter, error) {
		select {
		case looks <- known:
		default:
		}
		return Voter{}, errors.New("nobody is there")
	}
	n := run(t, cfg)
	defer n.close()
	if known := <-looks; len(known) > 0 {
		t.Errorf("it knows %v", known)
	}
}
