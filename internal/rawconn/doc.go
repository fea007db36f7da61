// Package rawconn reads and writes sockets by system calls of which Go's scheduler is not told.
//
// Layer 3. The sockets do not block, so that a call takes as long as its copying. Telling the scheduler costs a node with little to do more than a
// small call: it wakes the runtime's monitor, which then looks after the process until nothing runs any more. A connection that nothing is known
// of, and systems other than Linux, get the standard library's calls.
//
// It knows no protocol: bytes are bytes.
package rawconn
