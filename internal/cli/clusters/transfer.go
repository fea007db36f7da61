package clusters

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafka"
)

// A transfer looks soon at first, because moves of few bytes are done at once, and then ever less often.
const (
	firstLook = 20 * time.Millisecond
	lastLook  = time.Second
	// mostErrors is after how many looks that failed in turn it gives up.
	mostErrors = 5
	// staleFor bounds how long brokers may tell of replicas what is no longer so.
	staleFor = 5 * time.Second
)

// transfer follows moves until the last is done, and tells how far they are.
type transfer struct {
	app    *command.App
	server *command.Server
	rows   []moving
	line   command.Line
	begun  int64 // what was copied at the first look
	looked bool
}

// follow waits for moves, which are in order, and notes in the rows what became of them. When ctx ends before that they go on, and it says so.
func follow(ctx context.Context, a *command.App, s *command.Server, rows []moving, f *command.Failures) error {
	if len(rows) == 0 {
		return nil
	}
	ctx, stop := a.Interruptible(ctx)
	defer stop()
	t := &transfer{app: a, server: s, rows: rows, line: a.Line()}
	if err := t.wait(ctx); err != nil {
		return err
	}
	t.line.End(t.summary())
	return t.check(ctx, f)
}

func (t *transfer) wait(ctx context.Context) error {
	every, failed := firstLook, 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return t.interrupted()
		case <-timer.C:
		}
		left, err := t.look(ctx)
		switch {
		case ctx.Err() != nil:
			return t.interrupted()
		case err == nil && left == 0:
			return nil
		case err != nil:
			if failed++; failed == mostErrors {
				return t.server.Failed("wait for the moves", err)
			}
		default:
			failed = 0
			if t.line.Due() {
				t.line.Show(t.progress())
			}
		}
		timer.Reset(every)
		every = min(2*every, lastLook)
	}
}

func (t *transfer) interrupted() error {
	return &command.Error{What: "wait for the moves", Where: t.server.Where, Err: errors.New("interrupted; they go on"),
		Hint: fmt.Sprintf("`ottla cluster reassign --watch%s` waits again, --cancel takes them back", t.app.Again())}
}

// look finds out which moves are under way yet, and how far these are.
func (t *transfer) look(ctx context.Context) (left int, err error) {
	ctx, cancel := t.app.Bounded(ctx)
	defer cancel()
	flights, err := flightsOf(ctx, t.server)
	if err != nil {
		return 0, err
	}
	for i := range t.rows {
		row := &t.rows[i]
		if _, under := flights[row.key()]; under {
			left++
			continue
		}
		row.State, row.Copied, row.Left = arrived, row.Bytes, nil
	}
	if left == 0 && t.looked {
		return 0, nil
	}
	if err := weigh(ctx, t.app, t.server, t.rows); err != nil {
		return 0, err
	}
	if _, copied := t.bytes(); !t.looked {
		t.begun, t.looked = copied, true
	}
	return left, nil
}

// bytes are what all moves are to copy, and what they have copied.
func (t *transfer) bytes() (all, copied int64) {
	for _, row := range t.rows {
		if row.Bytes != nil && row.Copied != nil {
			all += *row.Bytes
			copied += *row.Copied
		}
	}
	return all, copied
}

func (t *transfer) progress() string {
	done := 0
	for _, row := range t.rows {
		if row.State == arrived {
			done++
		}
	}
	all, copied := t.bytes()
	took := t.line.Took()
	line := fmt.Sprintf("moved %d of %s, %s of %s, %d %%… in %s", done, command.Count(int64(len(t.rows)), "partition"),
		command.Size(copied), command.Size(all), 100*copied/max(all, 1), took.Round(time.Second))
	if came := copied - t.begun; came > 0 && took > 0 {
		line += fmt.Sprintf(", %s/s, %s left", command.Size(int64(float64(came)/took.Seconds())), timeLeft(all-copied, came, took))
	}
	return line
}

func (t *transfer) summary() string {
	all, _ := t.bytes()
	return fmt.Sprintf("moved %s (%s) in %s", command.Count(int64(len(t.rows)), "partition"), command.Size(all), t.line.Took().Round(time.Millisecond))
}

// check makes sure that the replicas are where they were to go: somebody may have cancelled a move or made another one of it. Brokers may be a
// little behind the controller.
func (t *transfer) check(ctx context.Context, f *command.Failures) error {
	var astray map[kafka.TopicPartition]string
	err := command.Until(ctx, firstLook, staleFor, func(ctx context.Context) (bool, error) {
		now, err := t.astray(ctx)
		if err == nil {
			astray = now
		}
		return len(now) == 0, err
	})
	if err != nil {
		return t.server.Failed("look at the partitions", err)
	}
	for i := range t.rows {
		row := &t.rows[i]
		if where, is := astray[row.key()]; is {
			row.State = cancelled
			f.Done--
			f.Add(&command.Error{What: fmt.Sprintf("move %s", row.key()), Where: t.server.Where, Err: fmt.Errorf("it is on %s: somebody cancelled or changed the move", where)})
		}
	}
	return nil
}

// astray are the partitions that are on other brokers than they were to be.
func (t *transfer) astray(ctx context.Context) (map[kafka.TopicPartition]string, error) {
	var names []string
	for _, row := range t.rows {
		names = append(names, row.Topic)
	}
	topics, err := t.server.Topics(ctx, slices.Compact(names)...)
	if err != nil {
		return nil, err
	}
	at := map[kafka.TopicPartition][]int32{}
	for _, topic := range topics {
		for _, p := range topic.Partitions {
			at[kafka.TopicPartition{Topic: topic.Name, Partition: p.Partition}] = p.Replicas
		}
	}
	astray := map[kafka.TopicPartition]string{}
	for _, row := range t.rows {
		if !slices.Equal(at[row.key()], row.Replicas) {
			astray[row.key()] = command.IDs(at[row.key()])
		}
	}
	return astray, nil
}
