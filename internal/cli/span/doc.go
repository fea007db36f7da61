// Package span reads the grammar of offsets: a place in a partition, and a range from one to another. It is pure: now is an argument.
package span
