//go:build race

package transport

// poison overwrites memory that goes back to the pool, so that a user after release is seen in the race tests.
func poison(b []byte) {
	for i := range b {
		b[i] = 0xdb
	}
}
