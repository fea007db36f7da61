// Command tools compares the tools of ottla with Apache Kafka's own: the same invocations, ours and theirs, on our node
// and on Apache Kafka 4.4.0. What they print on stdout and their exit codes must be equal.
//
//	go run ./test/compat/tools [-peer ottla,kafka] [-only kafka-topics]
//
// Each of the four cells is a server of its own that is prepared in the same way and then sees all invocations of one side in
// the order of the table (admin.go, clients.go), so that each finds the same state. Apache's tools (4.3.1) run in one
// JVM, see ../clients/tools/Driver.java; ours are told to follow that release, and two of three run under the
// name of a link.
//
// Before they are compared, outputs are freed of what differs between two servers of any kind (ports, directories, topic
// ids) and of what an invocation declares. A difference is a failure unless docs/deviations.md lists `tools NAME`, where
// NAME is the tool and the title of the invocation.
//
// The last step measures the start of a tool: CPU time of the process, the median of 20.
package main
