package segment

// Cache bounds what idle segments hold: open files and loaded indexes. One cache serves all logs of a node.
type Cache struct{}

// NewCache returns a cache of at most maxFiles open files and maxIndexBytes of loaded indexes. Both are soft: what is in use stays.
func NewCache(maxFiles int, maxIndexBytes int64) *Cache { panic("soon") }
