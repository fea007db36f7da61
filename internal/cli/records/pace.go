package records

import (
	"context"
	"time"

	"github.com/spf13/pflag"
)

// pace lets so many records through in a second. One that is late does not move those after it. It belongs to one goroutine.
type pace struct {
	rate  float64 // records a second; 0: no bound
	now   func() time.Time
	began time.Time
	n     int64
}

func newPace(rate float64, now func() time.Time) *pace {
	return &pace{rate: rate, now: now, began: now()}
}

func rateFlag(f *pflag.FlagSet, rate *float64) {
	f.Float64Var(rate, "rate", 0, "no more `RECORDS` a second; 0 is no bound")
}

// due returns how long the next record has to wait.
func (p *pace) due() time.Duration {
	if p.rate <= 0 {
		return 0
	}
	at := p.began.Add(time.Duration(float64(p.n) / p.rate * float64(time.Second)))
	p.n++
	return at.Sub(p.now())
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
