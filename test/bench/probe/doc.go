// Package probe measures latency in an open loop: records leave at their intended times, whatever became of the ones
// before, and the clock of each starts at that time. A server that stalls is charged for everything that it delayed.
//
// An echo server, driven in the same way in the same minute, is the control: what it shows is the machine's, not a server's.
package probe
