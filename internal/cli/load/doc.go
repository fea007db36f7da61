// Package load holds `ottla bench`: how fast a server takes records, gives them back, and how long one is on its way.
//
// What it measures is the server, the client and the machine between them. It sends load to this machine only, unless it is told
// otherwise, and writes into a topic of its own that it deletes at the end, unless it is given one.
package load
