// Package launch holds the commands that run a node: start, dev and storage. They read the configuration, build a node
// on the machine's own files, network, clock and randomness, and stay with it until a signal ends it.
//
// Layer 6. It decides nothing about the node; the tools that speak to one are in package cli.
package launch
