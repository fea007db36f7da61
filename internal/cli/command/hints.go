package command

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
)

// hints says what to do about an error code, where that does not depend on the command.
var hints = map[int16]string{
	kerr.UnknownTopicOrPartition.Code:      "`ottla topic list` shows what there is, `ottla topic create` makes one",
	kerr.TopicAlreadyExists.Code:           "`ottla topic describe` shows it; --if-not-exists accepts it as it is",
	kerr.InvalidReplicationFactor.Code:     "-r must be at most the number of brokers; `ottla cluster info` shows them",
	kerr.InvalidPartitions.Code:            "-p must be 1 or more",
	kerr.InvalidConfig.Code:                "the configuration reference lists the keys of a topic and their values",
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
	kerr.InvalidTopicException.Code:        "a name has up to 249 ASCII letters, digits, dots, dashes and underscores",
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
