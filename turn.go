package ottla

import "context"

// turn is had by one at a time, who may keep it across all that a start or a stop of a node takes. The order: that of changing, those of nodes by id, of
// which StartAll has several, leaf locks.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn, or for ctx. One that is free is had even when ctx is over.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits for the turn, however long.
func (t turn) await() { t <- struct{}{} }

func (t turn) give() { <-t }
