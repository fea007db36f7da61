//go:build planted

package planted

import "fmt"

// Enabled says whether this build has bugs to plant.
const Enabled = true

// names are the bugs, each with the place that asks for it.
var names = []string{
	"acked-before-replicated",           // partition: an answer with acks=all does not wait
	"acked-before-synced",               // partition: with flush.messages neither does it wait for the sync
	"below-min-isr",                     // replica: the high watermark moves with too few in sync
	"in-sync-too-early",                 // replica: a follower is in sync before it has what is committed
	"joining-not-counted",               // replica: the high watermark passes one who is about to be in sync
	"no-leader-epoch-fence",             // replica: a follower of an older epoch is served
	"cut-to-high-watermark",             // partition: a new follower cuts its log to its high watermark (KAFKA-1211)
	"divergence-ignored",                // partition: nobody looks where logs part
	"fetched-unchecked",                 // partition: a follower writes what fails its checksum
	"gaps-taken",                        // partition: a follower writes a batch wherever that says that it is
	"producers-forgotten",               // commitlog: producers are not known after a start (KAFKA-12520)
	"retries-unknown",                   // producer: a batch that is there already is not found
	"commit-answered-before-replicated", // coordinator: replies do not wait for the high watermark (KAFKA-20634)
	"old-member-commits",                // group: a member commits for partitions that are another one's
	"old-generation-commits",            // group: so does one that was left behind by its classic group
	"generation-not-raised",             // group: the next generation has the number of the one before
	"elected-out-of-sync",               // controller: anybody may lead
	"unclean-taken-for-clean",           // controller: whoever lost power keeps its place
	"leader-epoch-not-raised",           // metadata: the next leader has the epoch of the one before
	"vote-forgotten",                    // quorum: term and vote are not written
	"metadata-not-synced",               // quorum: entries are acknowledged before they are synced
	"voters-of-format",                  // quorum: after a start those vote that did at first, whatever the snapshot says
	"voters-not-cut-off",                // quorum: voters of a log's end that was cut off go on counting
	"moved-before-in-sync",              // controller: a reassignment is done before those that it adds are in sync
	"cancelled-and-in-sync",             // controller: who was added by a reassignment that is cancelled stays in sync
}

var now string

// Bug reports whether a bug is planted.
func Bug(name string) bool { return name == now }

// Plant plants one bug in place of the one before; "" none. Not while anything runs.
func Plant(name string) {
	for _, known := range append(names, "") {
		if known == name {
			now = name
			return
		}
	}
	panic(fmt.Sprintf("there is no bug %q", name))
}

// Names lists the bugs.
func Names() []string { return names }
