// Package clients reads what Java's clients are configured with: their login, how connections are protected, and which settings say so.
// The configurations of the node itself are those of package config.
package clients
