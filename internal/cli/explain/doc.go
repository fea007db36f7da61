// Package explain holds `ottla explain` and `ottla cheat`: what a word of Kafka's means, without a document and without a server.
package explain

//go:generate go test -run ^TestAPIsAreThePage$ . -rewrite
