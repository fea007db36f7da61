// Package inspect reads the files of a server that does not run, or runs elsewhere, and says what is in them.
//
// Layer 6, read-only. It takes files as readers and folders as [io/fs.FS], and prints what it finds one [Entry] at a time, in the words of
// docs/format, as text or as JSON lines. It never repairs, never stops at the first damage where it can go on, and never allocates by
// what a file claims.
package inspect
