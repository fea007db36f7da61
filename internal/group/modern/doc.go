// Package modern is a group of the consumer protocol (KIP-848): the server assigns, members reconcile.
//
// Layer 2, pure; part of package group.
package modern
