// Package members makes a large group of thin members that heartbeat as clients do, and takes the time until all of them
// have what they are to have: after all have joined, and after one has left. It speaks the classic protocol and KIP-848.
package members
