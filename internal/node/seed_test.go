package node_test

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"testing"
)

var givenSeed = flag.Uint64("seed", 0, "seed of the tests that draw one, to replay a failure; 0 draws")

// drawSeed draws a seed, or takes the one that was given, and prints how to come back to it.
func drawSeed(t *testing.T) uint64 {
	t.Helper()
	seed := cmp.Or(*givenSeed, rand.Uint64())
	t.Logf("replay with -run '^%s$' -seed %d", t.Name(), seed)
	return seed
}
