package partition

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/kafka"
)

// Lag says how far a committed offset is behind the high watermark, or the last stable offset for kafka.Committed (docs/adr/0015). Errors
// are Read's, without kerr.OffsetOutOfRange: an offset that the log does not have is an answer.
func (p *Partition) Lag(q kafka.LagQuestion, isolation kafka.Isolation, now time.Time) (kafka.Lag, error) {
	for {
		at := p.home.Load()
		lag, err := p.lag(at, q, isolation, now)
		switch {
		case err == nil:
			return lag, nil
		case errors.Is(err, kerr.OffsetOutOfRange): // the log start has risen meanwhile
		default:
			if err = p.readFailure(at, err); !errors.Is(err, errMoved) {
				return lag, err
			}
		}
	}
}

func (p *Partition) lag(at *home, q kafka.LagQuestion, isolation kafka.Isolation, now time.Time) (kafka.Lag, error) {
	if err := p.check(kafka.NoEpoch, true); err != nil {
		return kafka.Lag{}, err
	}
	bounds := ReadResult{LastStableOffset: p.LastStableOffset(), HighWatermark: p.HighWatermark(), LogStartOffset: p.LogStartOffset(), LogEndOffset: p.LogEndOffset()}
	lag := kafka.Lag{Start: bounds.LogStartOffset, First: kafka.NoOffset, Timestamp: kafka.NoTimestamp, Exact: true}
	from := q.Committed
	switch {
	case q.Topic != (kafka.TopicID{}) && q.Topic != p.topicID:
		lag.Standing, from = kafka.LagOtherTopic, lag.Start
	case from < lag.Start:
		lag.Standing, from = kafka.LagBelowStart, lag.Start
	case from > bounds.LogEndOffset:
		lag.Standing, from = kafka.LagBeyondEnd, lag.Start
	}
	end := bounds.Bound(isolation)
	if from >= end { // also beyond: consumers may have read what is no longer, or for others not yet, to be read
		return lag, nil
	}
	unread, err := at.log.Unread(from, end)
	if err != nil {
		return lag, err
	}
	lag.Records, lag.Exact, lag.First, lag.Timestamp = unread.Records, unread.Exact, unread.First, unread.Timestamp
	switch {
	case lag.Timestamp >= 0:
		lag.Age = max(0, now.UnixMilli()-lag.Timestamp)
	case lag.First >= 0 || !lag.Exact:
		lag.Age = -1
	}
	return lag, nil
}
