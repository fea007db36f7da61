package config

// Property is one line of a properties file.
type Property struct {
	Key, Value string
	// Line is where the key stands, from 1.
	Line int
}

// ParseProperties reads Java's .properties format: comments (# and !), continuation lines, = or : or blank as
// separator, escapes. Repeated keys are all returned, in order. An error names file and line.
func ParseProperties(file string, text []byte) ([]Property, error) { panic("later") }
