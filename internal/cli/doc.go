// Package cli is the tree of ottla's commands: those that talk to a server as any Kafka client does, and those that read its files
// offline.
//
// Layer 6. It knows the server by its protocol alone, through franz-go, and never imports an engine or a core; commands that run a
// server are given to [Run] from outside. Each noun is a package below; package command is what they all stand on.
//
// What holds everywhere:
//   - records and tables go to standard output, all else (progress, notices, questions, errors) to standard error;
//   - an error is one line: what was tried, where, what went wrong with Kafka's name and code for it, and what to do;
//   - the exit code says which kind of failure it was (see [command.Exit]);
//   - what a command reads from the world, it reads from its [command.World], so that a test can be one.
package cli
