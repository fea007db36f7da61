// Package peer asks other nodes, in Kafka's protocol.
//
// Layer 3. A Client is one connection for one purpose: requests of different purposes do not wait for each other. Kafka's
// nodes do the same, and answer in the order of the requests.
//
// Invariants:
//
//   - Requests leave in the order in which Do took them, and each answer goes to the request that it answers.
//   - What goes wrong on a connection ends it and all that wait on it; the next Do connects anew.
//   - A version is used that both sides have; the other's are asked for on each new connection.
//
// Whoever connects or writes has the client's turn, a channel of one place, meanwhile: others wait for it as long as their contexts last. The leaf
// mu is taken under it, never the other way.
//
// It knows no policy: whom to ask, when to try again and what an answer means are the caller's.
package peer
