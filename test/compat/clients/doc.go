// Package clients knows the clients that others wrote: how each is installed, in which version, and how its program under
// this folder is run.
package clients
