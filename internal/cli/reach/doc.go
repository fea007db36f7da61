// Package reach says how the command line reaches a server: which settings there are, under which names other clients know them,
// where their values come from, and what a connection makes of them.
//
// Names are those of Java's clients; librdkafka's stand beside them. A value comes from the first of these layers that has it: a
// flag, -X, --command-config, the environment, the project's file, the user's profile, the default. Each value remembers its layer.
//
// Secrets may be references: env:NAME, file:PATH, cmd:COMMAND. They are followed when a connection is made, and never shown. A
// project's file comes with the project, maybe from a stranger: it may not run commands, it reads only variables that are meant
// for Kafka, and where it names servers, nothing of the user's profile goes there (see [Project]).
package reach
