// Package segment is one segment of a partition's log on disk: the file of batches, its sparse offset and time indexes, and the
// transaction index, in Apache Kafka's formats.
//
// Layer 3.
//
// Invariants:
//   - The data file is the truth; an index that contradicts it is made anew from it. Only that of transactions needs the producers, too: recovery
//     makes it, and a reader to whom it makes no sense gets an ErrIndex.
//   - The end of a segment, offset and position together, is one atomic word: readers never see one without the other.
//   - A reader that holds a Handle can read to the end of what it was given, whatever retention, truncation and the cache do meanwhile.
//
// It knows nothing of neighbouring segments, epochs or producers.
package segment
