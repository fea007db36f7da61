// Package memnet is a network within a process: hosts that listen and dial by address, over connections in memory, with links that can be cut
// one way or both.
//
// Layer 3. It stands in for TCP where a whole cluster runs in one process: net.Listen and net.Dialer have the same shapes as Host.Listen and
// Host.Dial. Nothing of it waits for the kernel, so that a testing/synctest bubble can hold it; a Door lets clients of the machine's own
// network in.
//
// Invariants:
//
//   - Bytes arrive in order and whole, or the connection ends: as with TCP, a cut delays and does not lose.
//   - What a cut holds back is everything, the end of a connection included: who is cut off learns nothing before the cut heals.
//   - An address at which nobody listens refuses (syscall.ECONNREFUSED); one behind a cut does not answer.
//   - A connection's lock is a leaf, and so is the net's. What is cut is an immutable value that they read.
//
// It knows no protocol: bytes are bytes.
package memnet
