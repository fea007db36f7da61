// Package planted has bugs that are in the product on purpose, in builds with the tag planted alone: one at a time, so that the simulator can be asked
// whether it finds them. A simulator that does not is the one that is broken.
//
// Layer 0, imports nothing. In all other builds Bug is a constant false, and what it guards is not compiled in.
package planted
