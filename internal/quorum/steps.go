package quorum

import (
	"time"

	"github.com/ottla/ottla/internal/controller"
)

// Steps runs an engine instead of Run, in the caller's goroutine and by the caller's clock: the same calls lead to the same work in the same
// order. Config.Go has to run what it is given in place. Deliver, Gone and Unreachable may be called between steps; of these and what they
// hand over, one kind for each step.
type Steps struct {
	e     *Engine
	asked []asked
}

// asked is a command of Steps.Submit.
type asked struct {
	r    *request
	done func(response any, err error)
}

// Steps returns what steps the engine. Run must not be called.
func (e *Engine) Steps() *Steps { return &Steps{e: e} }

// Submit has the next steps handle a command; one of them calls done, with what Engine.Submit would return.
func (s *Steps) Submit(cmd controller.Command, done func(response any, err error)) {
	s.ask(&request{cmd: cmd}, done)
}

// Change has the next steps change the voters; one of them calls done, with what Engine.ChangeVoters would return.
func (s *Steps) Change(c VoterChange, done func(error)) {
	s.ask(&request{change: &c}, func(_ any, err error) { done(err) })
}

func (s *Steps) ask(r *request, done func(response any, err error)) {
	r.done = make(chan reply, 1)
	s.e.inbox = append(s.e.inbox, r)
	s.asked = append(s.asked, asked{r, done})
}

// Step does everything that can be done now, and returns when there is something to do again. An error is the disk's, or damage: the engine
// can't go on, and has closed its log.
func (s *Steps) Step(now time.Time) (time.Time, error) {
	err := s.e.step(now)
	if err != nil {
		err = s.e.stop(now, err)
		s.answer()
		return time.Time{}, err
	}
	s.answer()
	return s.e.deadline(), nil
}

// Stop answers what is open and closes the log, as Run does at its end.
func (s *Steps) Stop(now time.Time) error {
	err := s.e.stop(now, nil)
	s.answer()
	return err
}

// answer calls back for the commands that are answered, in the order in which they were given.
func (s *Steps) answer() {
	open := s.asked
	s.asked = nil
	var left []asked
	for _, a := range open {
		select {
		case got := <-a.r.done:
			a.done(got.response, got.err)
		default:
			left = append(left, a)
		}
	}
	s.asked = append(left, s.asked...)
}
