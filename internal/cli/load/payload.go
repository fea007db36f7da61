package load

import "math/rand/v2"

// payload returns n bytes of text that compress to about half, as records of the world do. The same n gives the same bytes.
func payload(n int) []byte {
	const letters = "etaoinshrdlu 0123456789\":,{}[]_-"
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[rnd.IntN(len(letters))]
	}
	return b
}
