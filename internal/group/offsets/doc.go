// Package offsets keeps what groups committed.
//
// Layer 2, pure; part of package group.
package offsets
