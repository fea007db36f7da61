// Command mixed runs clusters of Ottla and Apache Kafka 4.4.0 together, under load, and checks that nobody notices.
//
//	go run ./test/compat/mixed                              all scenarios
//	go run ./test/compat/mixed -scenario kafka-broker       one alone
//	go run ./test/compat/mixed -keep DIR                    leave directories and logs of the nodes there
//
// kafka-broker: three nodes of ours, each broker and controller, and a broker of Apache Kafka that has nothing but them as controllers. It is
// given replicas and leaderships and loses them again (reassignment, preferred election), and comes and goes: SIGKILL, SIGTERM, SIGSTOP; then ours do.
//
// ottla-broker: a controller of Apache Kafka, and its broker, and another broker of its. Brokers of ours join, take all replicas over by reassignment, and come
// and go; the other broker of Kafka's is retired, and the controller ends and comes back.
//
// Throughout, franz-go writes numbered records to one topic, one after the other in each partition, and Java's producer to another, both
// with acks=all and idempotent; a consumer of each reads along in a group. An error that a client shows its caller counts, as does an id that a consumer misses or gets twice.
//
// At the end everything is read from the start, all nodes stop, and the .log files of the replicas of each partition are compared byte by byte. The
// last line of a scenario is its verdict.
package main
