// Package load is the traffic of a benchmark: a replayer of requests that were encoded before, which costs next to no CPU,
// so that the server is the limit; a raw fetcher; franz-go; and, as cross-checks, the programs of others: Apache's
// performance tools and librdkafka.
//
// A load ends after so many bytes or so much time, whichever comes first, and says what was acknowledged.
package load
