// Package jopt parses command lines as Apache Kafka's tools do. Some of those read options in the way of jopt-simple
// ([Parser]: --topic x, --topic=x, -topic x, no abbreviations), others in that of argparse4j ([Command]: sub-commands,
// positional arguments, abbreviations that are unique). Which of the two a tool has is part of its interface.
package jopt
