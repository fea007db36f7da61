// Package groups holds `ottla group`: consumer groups of every kind, their members, offsets and lag.
package groups
