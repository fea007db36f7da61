package kafkatools

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// exception is how Java clients call an error code: the class, without its package, and the message where it is another than kerr's.
type exception struct{ class, message string }

// exceptions are the classes and messages of kafka-clients 4.3.1, by error code.
var exceptions = map[int16]exception{
	-1:  {"UnknownServerException", ""},
	1:   {"OffsetOutOfRangeException", ""},
	2:   {"CorruptRecordException", ""},
	3:   {"UnknownTopicOrPartitionException", ""},
	4:   {"InvalidFetchSizeException", ""},
	5:   {"LeaderNotAvailableException", ""},
	6:   {"NotLeaderOrFollowerException", "For requests intended only for the leader, this error indicates that the broker is not the current leader. For requests intended for any replica, this error indicates that the broker is not a replica of the topic partition."},
	7:   {"TimeoutException", ""},
	8:   {"BrokerNotAvailableException", ""},
	9:   {"ReplicaNotAvailableException", "The replica is not available for the requested topic-partition. Produce/Fetch requests and other requests intended only for the leader or follower return NOT_LEADER_OR_FOLLOWER if the broker is not a replica of the topic-partition."},
	10:  {"RecordTooLargeException", "The request included a message larger than the max message size the server will accept."},
	11:  {"ControllerMovedException", ""},
	12:  {"OffsetMetadataTooLarge", ""},
	13:  {"NetworkException", ""},
	14:  {"CoordinatorLoadInProgressException", ""},
	15:  {"CoordinatorNotAvailableException", ""},
	16:  {"NotCoordinatorException", ""},
	17:  {"InvalidTopicException", ""},
	18:  {"RecordBatchTooLargeException", ""},
	19:  {"NotEnoughReplicasException", ""},
	20:  {"NotEnoughReplicasAfterAppendException", ""},
	21:  {"InvalidRequiredAcksException", ""},
	22:  {"IllegalGenerationException", ""},
	23:  {"InconsistentGroupProtocolException", ""},
	24:  {"InvalidGroupIdException", "The group id is invalid."},
	25:  {"UnknownMemberIdException", ""},
	26:  {"InvalidSessionTimeoutException", ""},
	27:  {"RebalanceInProgressException", ""},
	28:  {"InvalidCommitOffsetSizeException", ""},
	29:  {"TopicAuthorizationException", "Topic authorization failed."},
	30:  {"GroupAuthorizationException", "Group authorization failed."},
	31:  {"ClusterAuthorizationException", ""},
	32:  {"InvalidTimestampException", ""},
	33:  {"UnsupportedSaslMechanismException", ""},
	34:  {"IllegalSaslStateException", ""},
	35:  {"UnsupportedVersionException", ""},
	36:  {"TopicExistsException", ""},
	37:  {"InvalidPartitionsException", ""},
	38:  {"InvalidReplicationFactorException", ""},
	39:  {"InvalidReplicaAssignmentException", ""},
	40:  {"InvalidConfigurationException", ""},
	41:  {"NotControllerException", ""},
	42:  {"InvalidRequestException", ""},
	43:  {"UnsupportedForMessageFormatException", ""},
	44:  {"PolicyViolationException", ""},
	45:  {"OutOfOrderSequenceException", ""},
	46:  {"DuplicateSequenceException", ""},
	47:  {"InvalidProducerEpochException", "Producer attempted to produce with an old epoch."},
	48:  {"InvalidTxnStateException", ""},
	49:  {"InvalidPidMappingException", ""},
	50:  {"InvalidTxnTimeoutException", ""},
	51:  {"ConcurrentTransactionsException", ""},
	52:  {"TransactionCoordinatorFencedException", ""},
	53:  {"TransactionalIdAuthorizationException", "Transactional Id authorization failed."},
	54:  {"SecurityDisabledException", ""},
	55:  {"OperationNotAttemptedException", ""},
	56:  {"KafkaStorageException", ""},
	57:  {"LogDirNotFoundException", ""},
	58:  {"SaslAuthenticationException", ""},
	59:  {"UnknownProducerIdException", "This exception is raised by the broker if it could not locate the producer metadata associated with the producerId in question. This could happen if, for instance, the producer's records were deleted because their retention time had elapsed. Once the last records of the producerId are removed, the producer's metadata is removed from the broker, and future appends by the producer will return this exception."},
	60:  {"ReassignmentInProgressException", ""},
	61:  {"DelegationTokenDisabledException", ""},
	62:  {"DelegationTokenNotFoundException", ""},
	63:  {"DelegationTokenOwnerMismatchException", ""},
	64:  {"UnsupportedByAuthenticationException", ""},
	65:  {"DelegationTokenAuthorizationException", ""},
	66:  {"DelegationTokenExpiredException", ""},
	67:  {"InvalidPrincipalTypeException", ""},
	68:  {"GroupNotEmptyException", ""},
	69:  {"GroupIdNotFoundException", ""},
	70:  {"FetchSessionIdNotFoundException", ""},
	71:  {"InvalidFetchSessionEpochException", ""},
	72:  {"ListenerNotFoundException", ""},
	73:  {"TopicDeletionDisabledException", ""},
	74:  {"FencedLeaderEpochException", "The leader epoch in the request is older than the epoch on the broker."},
	75:  {"UnknownLeaderEpochException", "The leader epoch in the request is newer than the epoch on the broker."},
	76:  {"UnsupportedCompressionTypeException", ""},
	77:  {"StaleBrokerEpochException", "Broker epoch has changed."},
	78:  {"OffsetNotAvailableException", "The leader high watermark has not caught up from a recent leader election so the offsets cannot be guaranteed to be monotonically increasing."},
	79:  {"MemberIdRequiredException", "The group member needs to have a valid member id before actually entering a consumer group."},
	80:  {"PreferredLeaderNotAvailableException", "The preferred leader was not available."},
	81:  {"GroupMaxSizeReachedException", "The group has reached its maximum size."},
	82:  {"FencedInstanceIdException", ""},
	83:  {"EligibleLeadersNotAvailableException", "Eligible topic partition leaders are not available."},
	84:  {"ElectionNotNeededException", "Leader election not needed for topic partition."},
	85:  {"NoReassignmentInProgressException", ""},
	86:  {"GroupSubscribedToTopicException", ""},
	87:  {"InvalidRecordException", "This record has failed the validation on broker and hence will be rejected."},
	88:  {"UnstableOffsetCommitException", ""},
	89:  {"ThrottlingQuotaExceededException", ""},
	90:  {"ProducerFencedException", ""},
	91:  {"ResourceNotFoundException", ""},
	92:  {"DuplicateResourceException", ""},
	93:  {"UnacceptableCredentialException", ""},
	94:  {"InconsistentVoterSetException", "Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters."},
	95:  {"InvalidUpdateVersionException", ""},
	96:  {"FeatureUpdateFailedException", ""},
	97:  {"PrincipalDeserializationException", ""},
	98:  {"SnapshotNotFoundException", ""},
	99:  {"PositionOutOfRangeException", ""},
	100: {"UnknownTopicIdException", ""},
	101: {"DuplicateBrokerRegistrationException", ""},
	102: {"BrokerIdNotRegisteredException", ""},
	103: {"InconsistentTopicIdException", ""},
	104: {"InconsistentClusterIdException", ""},
	105: {"TransactionalIdNotFoundException", ""},
	106: {"FetchSessionTopicIdException", ""},
	107: {"IneligibleReplicaException", ""},
	108: {"NewLeaderElectedException", ""},
	109: {"OffsetMovedToTieredStorageException", ""},
	110: {"FencedMemberEpochException", ""},
	111: {"UnreleasedInstanceIdException", ""},
	112: {"UnsupportedAssignorException", ""},
	113: {"StaleMemberEpochException", ""},
	114: {"MismatchedEndpointTypeException", ""},
	115: {"UnsupportedEndpointTypeException", ""},
	116: {"UnknownControllerIdException", "This controller ID is not known."},
	117: {"UnknownSubscriptionIdException", ""},
	118: {"TelemetryTooLargeException", ""},
	119: {"InvalidRegistrationException", ""},
	120: {"TransactionAbortableException", ""},
	121: {"InvalidRecordStateException", ""},
	122: {"ShareSessionNotFoundException", ""},
	123: {"InvalidShareSessionEpochException", ""},
	124: {"FencedStateEpochException", "The share coordinator rejected the request because the share-group state epoch did not match."},
	125: {"InvalidVoterKeyException", ""},
	126: {"DuplicateVoterException", ""},
	127: {"VoterNotFoundException", ""},
	128: {"InvalidRegularExpression", ""},
	129: {"RebootstrapRequiredException", ""},
	130: {"StreamsInvalidTopologyException", ""},
	131: {"StreamsInvalidTopologyEpochException", ""},
	132: {"StreamsTopologyFencedException", ""},
	133: {"ShareSessionLimitReachedException", ""},
}

// javaError is an error as a Java client would throw it: its class and its message.
type javaError struct {
	class   string
	message string
	code    int16
}

// Error is the message alone, as getMessage has it.
func (e *javaError) Error() string { return e.message }

// full is the class with its package and the message, as toString has it.
func (e *javaError) full() string {
	return "org.apache.kafka.common.errors." + e.class + ": " + e.message
}

// javaCode is the exception of an error code, nil for none. message is what the server said of it; without it the text of
// the code stands.
func javaCode(code int16, message *string) error {
	if code == 0 {
		return nil
	}
	e := &javaError{class: "UnknownServerException", code: code, message: javaMessage(code)}
	if known, ok := exceptions[code]; ok {
		e.class = known.class
	}
	if message != nil && *message != "" {
		e.message = *message
	}
	return e
}

// javaMessage is the text of an error code.
func javaMessage(code int16) string {
	if known := exceptions[code]; known.message != "" {
		return known.message
	}
	err := kerr.TypedErrorForCode(code)
	if err == nil {
		err = kerr.UnknownServerError
	}
	return err.Description
}

// isCode reports whether err is the exception of that error.
func isCode(err error, want *kerr.Error) bool {
	var e *javaError
	return errors.As(err, &e) && e.code == want.Code
}

// javaFull is an error as Java's toString has it: with its class, if it has one.
func javaFull(err error) string {
	var e *javaError
	if errors.As(err, &e) {
		return e.full()
	}
	var k *kerr.Error
	if errors.As(err, &k) {
		return javaFull(javaCode(k.Code, nil))
	}
	if errors.Is(err, errNoSuchAPI) {
		return (&javaError{class: "UnsupportedVersionException", message: err.Error()}).full()
	}
	return err.Error()
}

// wrapped is how Java shows an error that came out of a future: by its class and message, once for each future around it.
func wrapped(err error) string {
	switch e := err.(type) {
	case *javaError:
		return e.full()
	case *futureError:
		return "java.util.concurrent.ExecutionException: " + wrapped(e.err)
	case *argumentError:
		return "java.lang.IllegalArgumentException: " + e.Error()
	}
	return err.Error()
}

// futureError is an error around that of a future.
type futureError struct{ err error }

// Error is that of the error within, as Java shows it.
func (e *futureError) Error() string { return wrapped(e.err) }

// argumentError is an argument that makes no sense; most tools answer it with their help.
type argumentError struct{ message string }

// Error is the message.
func (e *argumentError) Error() string { return e.message }

func argumentf(format string, args ...any) error { return &argumentError{fmt.Sprintf(format, args...)} }
