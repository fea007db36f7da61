// Package kafka is the vocabulary: the words that every other package speaks.
//
// Layer 0. It imports nothing of ours and nothing outside the standard library.
// What may enter: a type or constant that at least two layers need and that has
// a name in docs/glossary.md. What may not: behaviour, I/O, configuration.
package kafka
