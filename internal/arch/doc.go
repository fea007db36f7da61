// Package arch holds the line: tests that read the source of the whole module and fail when an import goes up a
// layer, a core touches the world, or a function outgrows its budget. Its limits only tighten.
package arch
