// Package diag holds `ottla diag`: where a connection breaks, whether the cluster's addresses can be reached from here, and a bundle
// of all that helps somebody else to see what is wrong.
//
// What is found and what it means are apart: [probe] and its kin ask the network, [judge] decides and is pure.
package diag
