// Command compat runs clients that others wrote against Ottla or against Apache Kafka, and compares what each saw.
//
//	go run ./test/compat -peer ottla            every client against a fresh Ottla
//	go run ./test/compat -peer kafka            the same against Apache Kafka 4.4.0
//	go run ./test/compat -peer kafka -record    … and keep its answers as the reference
//	go run ./test/compat -peer ottla -clients java,kcat
//	go run ./test/compat -nodes 3               … against three nodes, every topic with a replica on each
//	go run ./test/compat -nodes 3 -hurt         … of which one after another is killed (SIGKILL) and comes back
//	go run ./test/compat -nodes 3 -roll         clients that write and read while the nodes are restarted in turn
//
// Each client is a small program in its own language under clients/. All run one scenario (clients/golang/contract
// says its form) and print one JSON line a step. What Apache Kafka 4.4.0 made of a step is kept in
// testdata/kafka-4.4.0/CLIENT.jsonl; a step whose result differs is a failure, unless docs/deviations.md lists it as
// `compat CLIENT STEP`. Afterwards each client reads what each other one wrote (the matrix), and Apache Kafka opens
// the directory that Ottla wrote (the takeover; -then names another).
//
// What Kafka does on three nodes is kept in testdata/kafka-4.4.0/CLIENT.nodes-3.jsonl where it differs from one node. With -hurt
// the next node is killed when all replicas are in sync again; what is written with acks=all, by idempotent producers, must be
// there once and in order, and a step at which a library gave up is tried again, unless it writes. Steps that were are named. The
// figures for Apache Kafka (-peer kafka -nodes 3 -hurt) show which of them are the client's.
//
// Every client installs itself into a cache directory ($OTTLA_COMPAT_CACHE, else ottla-compat in the user's cache) in
// a pinned version; one that cannot be installed fails the run. What a client cannot do is a skipped step, with the
// reason printed. The last line is `N passed, N failed, N skipped`.
package main
