// Package transport moves frames: it accepts connections, cuts requests off the byte stream, and sends replies in
// the order of the requests. It knows no API and no Kafka policy; what it assumes of the traffic, to tell readers of old records from others
// (a batch of at most 1 MiB is asked for again, a request of over 1 KiB writes), costs speed where it is wrong, and nothing else.
//
// Layer 3. Invariants:
//
//   - Replies leave a connection in request order, each exactly once, whatever order they complete in.
//   - Memory follows bytes that have arrived, never a length that a peer claims: a frame's buffer grows to at most a
//     small multiple of what this connection has sent before.
//   - A Handler may block its own connection only. Pending.Complete never blocks, so an append can wake a consumer whose
//     socket is full.
//   - File ranges go out by sendfile with an offset of their own; the shared position of a descriptor is never used.
//   - What has to come from the disk for one peer holds up no other, and pushes nothing out of the page cache (ADR 20). Ranges of up to 16 KiB
//     are excepted: they are copied by whoever sends, at the price of one short read.
//
// A reader does one system call for each request that comes alone, and less for pipelined ones: see intake.
//
// Each connection has one reader goroutine, which also writes the replies that are ready when it made them. A writer
// goroutine exists only while replies completed elsewhere wait to be sent: see [Conn] for the hand-over.
package transport
