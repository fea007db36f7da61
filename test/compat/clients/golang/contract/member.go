package contract

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// Member is what a member of a group is told: package main of test/compat/groups says what the words mean.
type Member struct {
	Group     string `json:"group"`
	Topic     string `json:"topic"`
	Mode      string `json:"mode"`   // eager, cooperative, static or consumer
	Commit    string `json:"commit"` // sync, async or auto
	Instance  string `json:"instance"`
	SessionMs int    `json:"sessionMs"`
}

// Message is a record as it was read; it is printed as [partition, offset, value].
type Message struct {
	Partition int32
	Offset    int64
	Value     string
}

// MarshalJSON writes the three as an array.
func (m Message) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{m.Partition, m.Offset, m.Value})
}

// Says prints what happens to a member; it may be called from several goroutines.
type Says struct{ mu sync.Mutex }

func (s *Says) line(word string, v any) {
	b, err := json.Marshal(map[string]any{word: v})
	if err != nil {
		panic(err) // only numbers and strings go in
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Printf("%s\n", b)
}

// Assigned says which partitions the member owns from now on, besides those that it has.
func (s *Says) Assigned(ids []int32) {
	if len(ids) > 0 {
		s.line("assigned", ids)
	}
}

// Revoked says which partitions it owns no longer. Say it before the client tells the server.
func (s *Says) Revoked(ids []int32) {
	if len(ids) > 0 {
		s.line("revoked", ids)
	}
}

// Read says what it read.
func (s *Says) Read(ms []Message) {
	if len(ms) > 0 {
		s.line("read", ms)
	}
}

// Committed says which offsets the server has acknowledged.
func (s *Says) Committed(next map[int32]int64) {
	if len(next) > 0 {
		s.line("committed", next)
	}
}

// Join is a member of a group: it says what it gets and commits it, until leave is closed; then it leaves the group and
// returns. An error is what it can't get over: a server that is away for some seconds is not.
type Join func(bootstrap string, m Member, s *Says, leave <-chan struct{}) error

func memberMain(bootstrap string, run Join) {
	in := bufio.NewScanner(os.Stdin)
	var m Member
	if !in.Scan() {
		os.Exit(1)
	}
	if err := json.Unmarshal(in.Bytes(), &m); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	leave := make(chan struct{})
	go func() {
		if !in.Scan() {
			os.Exit(1)
		}
		close(leave)
	}()
	var s Says
	if err := run(bootstrap, m, &s, leave); err != nil {
		s.line("error", err.Error())
		os.Exit(1)
	}
	s.line("left", true)
}
