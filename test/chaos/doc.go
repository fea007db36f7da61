// Command chaos hurts a cluster of three nodes under load, and checks that nothing acknowledged is lost.
//
//	go run ./test/chaos                          a minute of faults
//	go run ./test/chaos -for 10m -seed 7         longer, with the choices of an earlier run, as its first line gave them
//	go run ./test/chaos -faults kill,cut         some kinds of fault alone
//	go run ./test/chaos -net loopback            without networks of their own for the nodes
//
// Idempotent producers with acks=all write numbered records to a topic of three replicas of which two must be in sync, several on their way at a time. One fault is done after
// the other, of a random node, and healed; docs/testing.md has the kinds. Then all must be in sync, and take records again.
//
// At the end everything is read twice from each node, whether it leads or follows, and the files of the nodes are compared. The last line is the verdict: the faults,
// what was acknowledged, lost, duplicated or reordered, whether the replicas are byte for byte the same, and the longest time without an acknowledgement in a partition for
// each kind of fault. Exit code 1 says that something of that is wrong.
//
// Each node is in a network namespace where that can be done (ADR 33): the process that makes them is this one, started anew. What it knows of each partition is a number, and a bit
// for each record while it reads them.
package main
