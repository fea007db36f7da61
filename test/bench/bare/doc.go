// Package bare holds the servers that show what this machine allows, measured beside the real ones: an echo of bytes; null,
// which answers produce requests and forgets them, so that the client is the limit; and bare, a server in Go with nothing
// but what must be done: frames decoded by kmsg, one goroutine a connection, the CRC checked, one positioned write, and
// sendfile for a fetch. It has no durability, no validation and no limits: it is good for loopback and for benchmarks only.
package bare
