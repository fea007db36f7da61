package kafkatools

import (
	"errors"
	"os"
	"strings"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// settings are client properties, as in client.properties.
type settings map[string]string

// bootstrapServers is the key of the addresses to start from.
const bootstrapServers = "bootstrap.servers"

// errNoServer is a command line that names no server.
var errNoServer = errors.New("You must specify either --bootstrap-controller or --bootstrap-server.")

// readSettings reads a properties file. An empty name is no file. A file that is not there is reported in Java's words.
func readSettings(file string) (settings, error) {
	s := settings{}
	if file == "" {
		return s, nil
	}
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, &missingFile{file, err}
	}
	if err != nil {
		return nil, err
	}
	props, err := config.ParseProperties(file, text)
	if err != nil {
		return nil, err
	}
	for _, p := range props {
		s[p.Key] = p.Value
	}
	return s, nil
}

// missingFile is a file that is not there, in the words of Java's older file streams.
type missingFile struct {
	name string
	err  error
}

// Error names the file.
func (m *missingFile) Error() string { return m.name + " (No such file or directory)" }

// Unwrap is the system's error.
func (m *missingFile) Unwrap() error { return m.err }

// set takes words KEY=VALUE over what is there. A word without = has the value "".
func (s settings) set(words []string) {
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		s[k] = v
	}
}

// connection are the options by which a tool in the style of jopt-simple finds its server. Every tool takes all of them,
// old spellings and new (KIP-1147), and a controller's address is as good as a broker's.
type connection struct {
	server, controller *jopt.Option
	// config is the file of properties; configs are all its spellings.
	configs    []*jopt.Option
	properties []*jopt.Option
}

// connects adds the options. oldConfig and oldProperty are further names that the tool has had for --command-config and
// --command-property.
func connects(p *jopt.Parser, oldConfig, oldProperty []string) *connection {
	c := &connection{
		server:     p.Accepts("bootstrap-server", "The Kafka server to connect to; several are separated by commas.").Arg("String: server to connect to"),
		controller: p.Accepts("bootstrap-controller", "The same as --bootstrap-server: any node of the cluster will do.").Arg("String: controller to connect to"),
	}
	for i, name := range append([]string{"command-config"}, oldConfig...) {
		about := "Property file with the configuration of the client."
		if i > 0 {
			about = "The old name of --command-config."
		}
		c.configs = append(c.configs, p.Accepts(name, about).Arg("String: config file"))
	}
	for i, name := range append([]string{"command-property"}, oldProperty...) {
		about := "A configuration of the client, as key=value; over --command-config."
		if i > 0 {
			about = "The old name of --command-property."
		}
		c.properties = append(c.properties, p.Accepts(name, about).Arg("String: key=value"))
	}
	return c
}

// settings are what file, properties and flags say together; a flag's address wins over a property's, and that over the
// file's.
func (c *connection) settings(s *jopt.Set) (settings, error) {
	file := ""
	for _, o := range c.configs {
		v, err := s.Value(o)
		if err != nil {
			return nil, err
		}
		if v != "" {
			file = v
		}
	}
	all, err := readSettings(file)
	if err != nil {
		return nil, err
	}
	for _, o := range c.properties {
		all.set(s.Values(o))
	}
	for _, o := range []*jopt.Option{c.controller, c.server} {
		v, err := s.Value(o)
		if err != nil {
			return nil, err
		}
		if v != "" {
			all[bootstrapServers] = v
		}
	}
	return all, nil
}

// connectionArgs are the same options for a tool in the style of argparse4j.
type connectionArgs struct {
	server, controller, property *jopt.Arg
	configs                      []*jopt.Arg
}

// connectsArgs adds the options to c. oldConfig are further names that the tool has had for --command-config.
func connectsArgs(c *jopt.Command, oldConfig ...string) *connectionArgs {
	a := &connectionArgs{
		server:     c.Option("The Kafka server to connect to; several are separated by commas.", "--bootstrap-server", "-b"),
		controller: c.Option("The same as --bootstrap-server: any node of the cluster will do.", "--bootstrap-controller", "-C"),
		property:   c.Option("A configuration of the client, as key=value; over --command-config.", "--command-property"),
	}
	for i, name := range append([]string{"--command-config"}, oldConfig...) {
		about := "Property file with the configuration of the client."
		if i > 0 {
			about = "The old name of --command-config."
		}
		a.configs = append(a.configs, c.Option(about, name))
	}
	c.Exclusive(false, a.server, a.controller)
	return a
}

// settings is that of [connection].
func (a *connectionArgs) settings(f *jopt.Found) (settings, error) {
	file := ""
	for _, o := range a.configs {
		if f.Has(o) {
			file = f.Value(o)
		}
	}
	all, err := readSettings(file)
	if err != nil {
		return nil, err
	}
	all.set(f.Values(a.property))
	for _, o := range []*jopt.Arg{a.controller, a.server} {
		if v := f.Value(o); v != "" {
			all[bootstrapServers] = v
		}
	}
	return all, nil
}
