package quorum

import (
	"errors"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// TestIndexesFollowFromTheLog: each record is an entry, the batch rides on its first, terms are leader epochs.
func TestIndexesFollowFromTheLog(t *testing.T) {
	fs := vfs.NewMem()
	cfg := testConfig(fs, "/data")
	copyFolder(t, fs, cfg.Dir, filepath.Join("testdata", "kafka-dynamic"))
	cfg.Voters, cfg.Directory = nil, directoryIn(t, fs, cfg.Dir)
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := e.storage
	first, _ := s.FirstIndex()
	last, _ := s.LastIndex()
	if first != 1 || last != uint64(e.Image().End()) {
		t.Fatalf("indexes %d to %d", first, last)
	}
	for lo := first; lo <= last; lo++ {
		entries, err := s.Entries(lo, last+1, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if n := uint64(len(entries)); n != last-lo+1 {
			t.Fatalf("%d entries from %d", n, lo)
		}
		for i, entry := range entries {
			at := lo + uint64(i)
			term, err := s.Term(at)
			if err != nil || entry.GetIndex() != at || entry.GetTerm() != term || term != 1 {
				t.Fatalf("entry %d: index %d, term %d of %d, %v", at, entry.GetIndex(), entry.GetTerm(), term, err)
			}
			if b := record.Batch(entry.Data); len(b) > 0 && index(b.BaseOffset()) != at {
				t.Fatalf("entry %d carries %v", at, b)
			}
		}
	}
	if one, err := s.Entries(first, last+1, 1); err != nil || len(one) != 3 {
		t.Fatalf("a small limit gives %d entries, want the first batch: %v", len(one), err)
	}
	if term, err := s.Term(0); term != 0 || err != nil {
		t.Fatalf("term %d before the log, %v", term, err)
	}
	if _, err := s.Term(last + 1); err == nil {
		t.Fatal("a term beyond the log")
	}
}

func TestQuorumStateDamaged(t *testing.T) {
	for _, content := range []string{"", "{}", `{"leaderId":1}`, "\x00\x00", `{"leaderId":1,"leaderEpoch":-5,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}`} {
		fs := vfs.NewMem()
		cfg := testConfig(fs, "/data")
		if err := vfs.MkdirAll(fs, cfg.Dir); err != nil {
			t.Fatal(err)
		}
		if err := vfs.WriteFile(fs, path.Join(cfg.Dir, metalog.QuorumStateFile), []byte(content)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(cfg); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// TestStandstill: a process that stood still for longer than a session does not fence its brokers for it.
func TestStandstill(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	cfg := testConfig(vfs.NewMem(), "/data")
	cfg.Now = func() time.Time { return now }
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Engine: e, t: t}
	stepped := make(chan error, 1)
	go func() { n.join(); stepped <- nil }()
	for done := false; !done; { // the test is the loop: it takes what join asks for, and steps
		select {
		case r := <-e.requests:
			e.inbox = append(e.inbox, r)
			if err := e.step(now); err != nil {
				t.Fatal(err)
			}
		case <-stepped:
			done = true
		}
	}
	for _, c := range []struct {
		pass   time.Duration
		fenced bool
	}{{time.Minute, false}, {9*time.Second + 2*time.Millisecond, true}} {
		now = now.Add(c.pass)
		if err := e.step(now); err != nil {
			t.Fatal(err)
		}
		if got := e.Image().Cluster.Broker(1).Fenced; got != c.fenced {
			t.Fatalf("after %v fenced is %t", c.pass, got)
		}
	}
	if err := e.stop(now, nil); err != nil {
		t.Fatal(err)
	}
}
