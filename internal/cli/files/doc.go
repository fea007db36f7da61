// Package files holds the commands that read the files of a node without the node, and change nothing.
package files
