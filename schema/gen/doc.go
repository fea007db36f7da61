// Command gen turns the definitions under schema/ into Go: the codecs of the internal records in internal/schema
// and the layout table of requests in internal/wire. The grammar is described in schema/README.md.
//
// A tool of layer 1. It reads and writes files; nothing imports it. Its output depends on the definitions alone:
// the same definitions give the same bytes, and a test fails when the committed output is stale.
//
// It does not check that a definition agrees with Kafka: that is what golden bytes and kmsg are for.
package main
