// Command crash kills a server under load again and again and checks that nothing acknowledged is lost.
//
//	go run ./test/crash                       50 rounds, or as many as fit two minutes
//	go run ./test/crash -rounds 5 -seed 7     the choices of an earlier run, as its first line gave them
//	go run ./test/crash -peer kafka -rounds 2 the same against Apache Kafka 4.4.0
//	go run ./test/crash -peer ottla,kafka     after each kill the other one takes over the directory
//
// Each round: producers (idempotent ones and others, all codecs, acks=all) write numbered records to 12 partitions
// while a consumer follows; at a random moment the server is killed (SIGKILL), now and then once more while it
// recovers; it starts again on the same directory and address, the producers go on with what they had in flight, and
// then everything is read back. A directory lives for several rounds, ends in order (SIGTERM), and is read once more.
//
// The checks are C1 (lost), C2 (phantom or corrupt), C4 (one offset, two records), C5 (duplicates: none from an
// idempotent producer, counted from others), C6 (order of one producer in one partition), C8 (no gap between
// offsets) and C10 (the bounds of a log never move back). They live in check.go, apart from the load, and have tests
// of their own with planted faults.
//
// A run's choices follow from its seed; what the kernel and the network make of them does not.
package main
