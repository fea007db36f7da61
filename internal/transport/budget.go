package transport

import "sync"

// Budget bounds the request memory of all connections together. Past it connections are not read until earlier
// requests are done; one request is always admitted, however large, so that the node can't stand still.
type Budget struct {
	mu    sync.Mutex
	cond  sync.Cond
	limit int64 // bytes
	used  int64
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget {
	b := &Budget{limit: limit}
	b.cond.L = &b.mu
	return b
}

// Acquire takes n bytes, waiting for others to give back theirs when the budget is spent.
func (b *Budget) Acquire(n int) {
	b.mu.Lock()
	for b.used > 0 && b.used+int64(n) > b.limit {
		b.cond.Wait()
	}
	b.used += int64(n)
	b.mu.Unlock()
}

// Release gives n bytes back.
func (b *Budget) Release(n int) {
	b.mu.Lock()
	b.used -= int64(n)
	b.mu.Unlock()
	b.cond.Broadcast()
}
