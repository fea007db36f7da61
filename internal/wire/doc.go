// Package wire turns the bytes of a connection into requests and responses into bytes.
//
// Layer 1, over kmsg. It has the headers, a check of every request against a table of its layout before anything is
// decoded, and views of the two requests that carry records.
//
// Promised:
//   - No input makes it panic or allocate more than 64 times its size and 64 KiB.
//   - A body that Decode or a view accepts has no length that lies, no null where Kafka allows none, and no array of
//     more than a million elements.
//   - Tagged fields that are unknown are skipped and never stored. Bytes after a body are ignored, as Kafka does.
//     Tags must ascend and a known tagged field must fill its size, where Kafka does not look.
//   - Record bytes are not copied: they lie in the frame, which must outlive what was decoded from it.
//
// It does not know which versions a listener serves (package api does), nor frame sizes (package transport).
package wire
