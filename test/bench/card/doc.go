// Package card is the scorecard as data: its rows, what each measures, the goals, and what Apache Kafka did on the machine
// that the goals were set on. It has no code that runs anything.
package card
