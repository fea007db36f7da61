package command

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/config"
)

// hints says what to do about an error code, where that does not depend on the command.
var hints = map[int16]string{
	kerr.UnknownTopicOrPartition.Code:      "`ottla topic list` shows what there is, `ottla topic create` makes one",
	kerr.TopicAlreadyExists.Code:           "`ottla topic describe` shows it; `ottla topic create --if-not-exists` accepts it as it is",
	kerr.InvalidReplicationFactor.Code:     "-r must be at most the number of brokers; `ottla cluster info` shows them",
	kerr.InvalidPartitions.Code:            "-p must be 1 or more",
	kerr.InvalidConfig.Code:                "`ottla config get RESOURCE --all` shows the keys that there are, `ottla explain KEY` what one takes",
	kerr.MessageTooLarge.Code:              "the topic's max.message.bytes bounds a batch; compression may help",
	kerr.NotEnoughReplicas.Code:            "fewer replicas are in sync than min.insync.replicas; `ottla topic describe` shows them",
	kerr.LeaderNotAvailable.Code:           "the partition has no leader just now; `ottla topic describe` shows it",
	kerr.TopicDeletionDisabled.Code:        "the server's delete.topic.enable is false",
	kerr.UnsupportedVersion.Code:           "the server is too old for this, or does not have it yet",
	kerr.InvalidTimestamp.Code:             "the topic's message.timestamp.before.max.ms and .after.max.ms bound a record's time",
	kerr.OffsetOutOfRange.Code:             "the records were deleted meanwhile; --offset start begins with the first that is left",
	kerr.ClusterAuthorizationFailed.Code:   "the server's access rules do not let you",
	kerr.TopicAuthorizationFailed.Code:     "the server's access rules do not let you",
	kerr.UnsupportedCompressionType.Code:   "the topic or the server does not take this codec; try another --compression",
	kerr.CorruptMessage.Code:               "the data on the server or on the way is damaged; `ottla log verify` checks files",
	kerr.KafkaStorageError.Code:            "a disk of the server failed; its log says which",
	kerr.InvalidRecord.Code:                "a compacted topic takes only records with a key; timestamps must be in bounds",
	kerr.ThrottlingQuotaExceeded.Code:      "the server limits how fast this may be done; try again later",
	kerr.SaslAuthenticationFailed.Code:     "check the name and the password",
	kerr.InvalidTopicException.Code:        "a name has up to 249 ASCII letters, digits, dots, dashes and underscores; of those that differ only in dots and underscores there is one",
	kerr.PolicyViolation.Code:              "the server's own rules for topics forbid it",
	kerr.UnknownTopicID.Code:               "the topic was deleted meanwhile",
	kerr.InvalidReplicaAssignment.Code:     "every replica must name another broker; `ottla cluster info` shows them",
	kerr.RequestTimedOut.Code:              "the server did not finish in time; --request-timeout waits longer",
	kerr.InvalidRequiredAcks.Code:          "want --acks 0, 1 or all",
	kerr.NotLeaderForPartition.Code:        "the leader moved; try again",
	kerr.BrokerNotAvailable.Code:           "a broker is down; `ottla cluster info` shows those that are up",
	kerr.GroupIDNotFound.Code:              "`ottla group list` shows what there is",
	kerr.NonEmptyGroup.Code:                "the group has members: stop its consumers first; `ottla group describe` shows them",
	kerr.UnknownMemberID.Code:              "the group has members: stop its consumers first; `ottla group describe` shows them",
	kerr.GroupSubscribedToTopic.Code:       "a member consumes the topic: stop the group's consumers first; `ottla group describe` shows them",
	kerr.CoordinatorLoadInProgress.Code:    "the broker is still reading the groups' log; try again",
	kerr.CoordinatorNotAvailable.Code:      "no broker coordinates the group just now; `ottla topic describe __consumer_offsets` shows why",
	kerr.NotCoordinator.Code:               "the coordinator moved; try again",
	kerr.GroupAuthorizationFailed.Code:     "the server's access rules do not let you",
	kerr.NotEnoughReplicasAfterAppend.Code: "the records may be there all the same: fewer replicas are in sync than min.insync.replicas",
}

// HintFor says what to do about a known error of Kafka, "" where there is nothing to say.
func HintFor(err error) string {
	var k *kerr.Error
	if !errors.As(err, &k) {
		return ""
	}
	return hints[k.Code]
}

// ConfigFailed is Failed for a request that set keys: where the server refused one of them, the hint is about that one.
func (s *Server) ConfigFailed(what string, err error, keys []string) error {
	failed := s.Failed(what, err)
	if e, ok := failed.(*Error); ok && errors.Is(err, kerr.InvalidConfig) {
		e.Hint = cmp.Or(configHint(err.Error(), keys), e.Hint)
	}
	return failed
}

// configHint says what may be meant by a key that there is not, or where one is explained. Of several it is the one that the server names;
// a name may be part of another, so the longer ones come first.
func configHint(said string, keys []string) string {
	known := map[string]bool{}
	var names []string
	for _, r := range []config.Resource{config.TopicResource, config.BrokerResource, config.GroupResource, config.ClientMetricsResource} {
		for _, k := range config.Keys(r) {
			if !known[k.Name] && !k.Internal {
				known[k.Name] = true
				names = append(names, k.Name)
			}
		}
	}
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(x, y string) int { return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(x, y)) })
	for _, key := range keys {
		switch {
		case len(keys) > 1 && !strings.Contains(said, key):
		case known[key]:
			return fmt.Sprintf("`ottla explain %s` says what it takes", key)
		default:
			return DidYouMean(key, names)
		}
	}
	return ""
}
