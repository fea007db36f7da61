// Package console is text ↔ records, as kafka-console-producer and kafka-console-consumer have it: the line reader with its
// separators, the formatters with their properties, and the deserializers that they know by the names of Java's classes.
//
// Pure: it reads and writes what it is given, and speaks to no server.
package console
