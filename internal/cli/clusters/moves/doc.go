// Package moves plans where the replicas of partitions are to be. It knows a cluster by values and gives back what is to change; others ask the
// cluster, and have it changed.
package moves
