// Command directories lets Apache Kafka 4.4.0 and Ottla take turns on the same log directories.
//
//	go run ./test/compat/directories                   every part
//	go run ./test/compat/directories -only turns
//	go run ./test/compat/directories -keep -dir DIR    keep what the servers left
//	go run ./test/compat/directories -record           make the directories of the hermetic tests anew
//
// The parts:
//
//   - turns: a server writes topics with every codec, transactions, compacted topics, configurations, commits, …, and
//     stops; the other one starts on the same directories and must show all of it, writes too, and stops; and so on.
//     Once Ottla formats and they change six times, once Kafka does.
//   - old: the same, begun by Apache Kafka 3.3, the oldest release whose directories are read.
//
// The judges are Apache Kafka's own Java clients (judge/), which live on while the servers change, and franz-go; what
// must be there is in a model that both are held against. Between the turns Apache's DumpLogSegments prints every file that
// Ottla left, and `ottla log dump` every file that Kafka left: neither may complain.
package main
