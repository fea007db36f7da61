//go:build !planted

package planted

// Enabled says whether this build has bugs to plant.
const Enabled = false

// Bug reports whether a bug is planted: none is.
func Bug(string) bool { return false }

// Plant would plant a bug.
func Plant(string) {}

// Names lists the bugs: none.
func Names() []string { return nil }
