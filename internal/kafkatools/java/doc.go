// Package java does what Apache's tools get from the Java library without asking for it, and what their output shows: the
// order in which a HashMap is walked, the text of a double, bytes taken for UTF-8, and how durations and times are read and written.
//
// Pure: nothing here has state, reads a clock, or knows of Kafka.
package java
