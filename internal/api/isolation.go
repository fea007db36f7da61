package api

// isolationKnown reports whether a level that the version may have is one of the two that exist.
func isolationKnown(has bool, level int8) bool { return !has || level == 0 || level == 1 }
