// Package cli holds the commands of ottla that talk to a server as any Kafka client does, and those that read its files offline.
//
// Layer 6. It knows the server by its protocol alone, through franz-go, and never imports an engine or a core; commands that run a
// server are given to [Root] from outside.
//
// What holds everywhere:
//   - records and tables go to standard output, all else (progress, notices, questions, errors) to standard error;
//   - an error is one line: what was tried, where, what went wrong with Kafka's name and code for it, and what to do;
//   - the exit code says which kind of failure it was (see [Exit]);
//   - what a command reads from the world, it reads from its [World], so that a test can be one.
package cli
