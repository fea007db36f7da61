// Package api answers requests: one file for each API key, named by it. A handler translates between the wire and the
// engines; it decides nothing that outlives the request and holds no state: the node gives it the [Sessions] of its fetches.
//
// Layer 5. table.go says which API is served at which versions on which listener; dispatch.go carries a request from
// the connection to its handler and the answer back. What is not in the table is not advertised and closes the
// connection, as in Kafka.
//
// Handlers run on the connection's reader goroutine and may block it, as a CreateTopics does until its records are
// committed, or a reader of the metadata log until there is more. Produce and Fetch of clients never block: they park
// their answer in the purgatory.
package api
