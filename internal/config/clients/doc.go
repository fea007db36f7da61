// Package clients reads what Java's clients are configured with: their login, and which settings protect a connection. The
// configurations of the node itself are those of package config.
package clients
