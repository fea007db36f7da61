// Package clusters holds `ottla cluster`: the cluster as a whole.
package clusters
