// Command data sends real data through `ottla produce` and reads it back with others' programs, byte for byte.
//
//	go run ./test/compat/data                      a fresh Ottla
//	go run ./test/compat/data -peer kafka          Apache Kafka 4.4.0
//	go run ./test/compat/data -addr HOST:PORT      a server that runs already
//	go run ./test/compat/data -sets flights-200k.json,airports.csv
//
// The data sets are those of the npm package vega-datasets, a record for each row: of a CSV file each line, of a JSON file each element
// of its array. What comes back through kcat, Apache's console consumer and `ottla consume` must have the digest of what was sent; one
// set goes the other way too, from kcat to `ottla consume`. The package, kcat and Apache's tools are installed where they are missing;
// what can't be installed fails the run. The last line is `N passed, N failed`.
package main
