// Package kafkatools is Apache Kafka's command line inside of ottla: kafka-topics and the tools beside it, with their
// options, their output and their exit codes, so that a script can't tell which it has run.
//
// It is a Kafka client and nothing else: it works with any server. A [Tool] is a function of a [World] and arguments;
// [Dispatch] finds it by the first word of a command line or by the name of the program (see [Link]). What a tool prints
// on stdout is an interface, and is compared with Apache's own tools in test/compat/tools; what it prints on stderr is
// for people.
package kafkatools
