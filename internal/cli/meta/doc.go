// Package meta holds the commands that look into the metadata of a cluster, as its files have it.
package meta
