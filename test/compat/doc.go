// Command compat runs clients that others wrote against Ottla or against Apache Kafka, and compares what each saw.
//
//	go run ./test/compat -peer ottla            every client against a fresh Ottla
//	go run ./test/compat -peer kafka            the same against Apache Kafka 4.4.0
//	go run ./test/compat -peer kafka -record    … and keep its answers as the reference
//	go run ./test/compat -peer ottla -clients java,kcat
//
// Each client is a small program in its own language under clients/. All run one scenario (clients/golang/contract
// says its form) and print one JSON line a step. What Apache Kafka 4.4.0 made of a step is kept in
// testdata/kafka-4.4.0/CLIENT.jsonl; a step whose result differs is a failure, unless docs/deviations.md lists it as
// `compat CLIENT STEP`. Afterwards each client reads what each other one wrote (the matrix), and Apache Kafka opens
// the directory that Ottla wrote (the takeover; -then names another).
//
// Every client installs itself into a cache directory ($OTTLA_COMPAT_CACHE, else ottla-compat in the user's cache) in
// a pinned version; one that cannot be installed fails the run. What a client cannot do is a skipped step, with the
// reason printed. The last line is `N passed, N failed, N skipped`.
package main
