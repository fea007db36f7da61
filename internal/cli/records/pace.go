package records

import (
	"context"
	"math"
	"time"

	"github.com/spf13/pflag"
)

// slack is how late a record may be without moving those after it: timers are. After a longer pause the others have to wait for each other as before.
const slack = 100 * time.Millisecond

// pace holds records to a rate. It belongs to one goroutine.
type pace struct {
	rate float64 // records a second; 0: no bound
	now  func() time.Time
	next time.Time // when the next record may go
}

// never is as good as for ever.
const never = 100 * 365 * 24 * time.Hour

const wantRate = "--rate must be 0 or more"

// badRate refuses rates that are none.
func badRate(rate float64) bool { return rate < 0 || math.IsNaN(rate) }

func newPace(rate float64, now func() time.Time) *pace {
	return &pace{rate: rate, now: now, next: now()}
}

func rateFlag(f *pflag.FlagSet, rate *float64) {
	f.Float64Var(rate, "rate", 0, "no more `RECORDS` a second; 0 is no bound")
}

// due returns how long the next record has to wait.
func (p *pace) due() time.Duration {
	if p.rate <= 0 {
		return 0
	}
	now := p.now()
	if earliest := now.Add(-slack); p.next.Before(earliest) {
		p.next = earliest
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(min(float64(time.Second)/p.rate, float64(never))))
	return wait
}

// wait returns when the next record may go; false when ctx has ended.
func (p *pace) wait(ctx context.Context) bool {
	if d := p.due(); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return ctx.Err() == nil
}
