// Package manual writes the manual of the command line out of the tree of commands itself: man pages and Markdown.
package manual
