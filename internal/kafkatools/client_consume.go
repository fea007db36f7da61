package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// next waits for records; none means that time is up or the context ended. A timeout below zero is none.
func (c *client) next(ctx context.Context, timeout time.Duration) (kgo.Fetches, error) {
	if timeout >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	for {
		f := c.PollFetches(ctx)
		if !f.Empty() || ctx.Err() != nil {
			return f, nil
		}
		for _, e := range f.Errors() {
			var group *kgo.ErrGroupSession
			if isFatal(e.Err) {
				return nil, fmt.Errorf("%s-%d: %w", e.Topic, e.Partition, e.Err)
			}
			if errors.As(e.Err, &group) && isFatal(group.Err) {
				return nil, group.Err
			}
		}
	}
}

// isFatal reports whether an error of consuming is one that a Java consumer throws.
func isFatal(err error) bool {
	for _, code := range []error{kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.SaslAuthenticationFailed, kerr.InvalidGroupID, kerr.InvalidTopicException, kerr.InvalidSessionTimeout,
		kerr.InconsistentGroupProtocol, kerr.FencedInstanceID, kerr.GroupMaxSizeReached, kerr.UnsupportedAssignor,
		kerr.InvalidRegularExpression, kerr.UnsupportedVersion} {
		if errors.Is(err, code) {
			return true
		}
	}
	var noReset *kgo.ErrDataLoss
	return errors.As(err, &noReset)
}
