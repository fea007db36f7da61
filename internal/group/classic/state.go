package classic

// State is where a group stands between two rebalances. Every legal transition, and what makes it:
//
//	Empty                → PreparingRebalance    a member joined
//	PreparingRebalance   → CompletingRebalance   all have joined, or the time for it is over; the generation rises
//	PreparingRebalance   → Empty                 nobody is left; the generation rises, a record is written
//	CompletingRebalance  → Stable                the leader gave the assignment; a record is written
//	CompletingRebalance  → PreparingRebalance    a member came, went, failed, changed, or did not sync in time
//	Stable               → PreparingRebalance    a member came, went, failed, changed, or the leader joined again
//	Empty                → no group              a tombstone was written
//
// And what a member is answered that is known and names the generation:
//
//	                      Heartbeat             SyncGroup              OffsetCommit
//	Empty                 UNKNOWN_MEMBER_ID     UNKNOWN_MEMBER_ID      UNKNOWN_MEMBER_ID (nobody is known)
//	PreparingRebalance    REBALANCE_IN_PROGRESS REBALANCE_IN_PROGRESS  done
//	CompletingRebalance   done                  waits for the leader's REBALANCE_IN_PROGRESS
//	Stable                done                  the assignment         done
//
// Kafka has a state Dead besides, which is seen only as the answer for a group that does not exist.
type State uint8

// The states.
const (
	Empty State = iota
	PreparingRebalance
	CompletingRebalance
	Stable
)

var stateNames = [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable"}

// String is Kafka's name of the state.
func (s State) String() string { return stateNames[s] }
