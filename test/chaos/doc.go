// Command chaos hurts a cluster of three nodes under load, and checks that nothing acknowledged is lost.
//
//	go run ./test/chaos                          a minute of faults
//	go run ./test/chaos -for 10m -seed 7         longer, with the choices of an earlier run, as its first line gave them
//	go run ./test/chaos -faults kill,stop        some kinds of fault alone
//
// Producers with acks=all, idempotent ones, write numbered records to a topic of three replicas of which two must be in sync. Every
// few seconds a node is killed (SIGKILL; in a "crash" it starts again at once), asked to end (SIGTERM), or stands still (SIGSTOP) for a moment ("pause") or for longer than its
// session lasts ("stop"), and comes back; or its replicas move to the others and return ("move"). At the end the faults stop, all replicas come in sync, and everything is read: by a consumer, and from the files of each node.
//
// The last line is the verdict: the faults, what was acknowledged, lost, duplicated or reordered, the longest time without an acknowledgement
// in a partition after each kind of fault, and whether the replicas are byte for byte the same. Exit code 1 says that something of that is wrong.
//
// Not there yet: partitions of the network, full and wiped disks, slow ones.
package main
