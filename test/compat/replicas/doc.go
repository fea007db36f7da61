// Package replicas is about the replicas that a cluster's nodes have of each partition: when all are in sync and all nodes know it, where
// they are to be, and whether their files are the same.
//
// It belongs to the tests (layer T). It asks nodes by Kafka's own requests, and so tells the same of every implementation.
package replicas
