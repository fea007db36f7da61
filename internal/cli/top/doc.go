// Package top holds `ottla top`: a cluster on one screen, drawn again and again.
//
// What is shown is decided by a [model], which is pure: it takes samples and keys and gives the text of a screen. The loop around it
// asks the server, reads the keyboard and draws.
package top
