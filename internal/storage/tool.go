package storage

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
)

// Tool is the command line of `ottla storage`, which is that of kafka-storage.
type Tool struct {
	World
	Out io.Writer
	// ReadFile reads the configuration, which may be a pipe; nil reads it from FS, where it is none.
	ReadFile func(name string) ([]byte, error)
	// Name is how the command was called, for its help: "ottla storage".
	Name string
}

// UsageError is a mistake in the arguments or in the configuration file. Nothing was done.
type UsageError struct {
	Command string // "" if none was recognized
	Err     error
	// File says that the mistake is in the configuration file, Voters that it is in the text of the first voters.
	File, Voters bool
}

// Error returns what is wrong.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *UsageError) Unwrap() error { return e.Err }

func usagef(command, format string, args ...any) error {
	return &UsageError{Command: command, Err: fmt.Errorf(format, args...)}
}

// ErrUnfit says that log directories have the problems that the info command has printed.
var ErrUnfit = errors.New("the log directories are not fit for use")

// Run executes a command, given without the program's name. Out gets the lines that Kafka's tool prints there; errors
// are one line, in Kafka's words where it has them.
func (t Tool) Run(args []string) error {
	if len(args) == 0 {
		return usagef("", "%s needs a command: %s", t.Name, names)
	}
	command, rest := args[0], args[1:]
	if command == "-h" || command == "--help" {
		fmt.Fprint(t.Out, t.help(""))
		return nil
	}
	known, ok := commands[command]
	if !ok {
		return usagef("", "%s has no command %q: it has %s", t.Name, command, names)
	}
	o, err := parseOptions(command, known.flags, rest)
	if err != nil {
		return err
	}
	if o.set["--help"] != nil {
		fmt.Fprint(t.Out, t.help(command))
		return nil
	}
	return known.run(t, o)
}

// names are the commands as help and messages list them.
const names = "info, format, version-mapping, feature-dependencies, random-uuid"

// commands are the commands with their flags.
var commands map[string]struct {
	flags []flag
	run   func(Tool, options) error
}

func init() {
	type command = struct {
		flags []flag
		run   func(Tool, options) error
	}
	file := flag{"--config", "-c", "CONFIG", true, "the configuration file of the node"}
	release := flag{"--release-version", "-r", "RELEASE", false, "the release whose features to use, such as 4.4 or 4.4-IV2"}
	commands = map[string]command{
		"info":        {[]flag{file}, Tool.info},
		"random-uuid": {nil, Tool.randomUUID},
		"format": {[]flag{
			file,
			{"--cluster-id", "-t", "CLUSTER_ID", true, "the id of the cluster, from random-uuid; the same for all its nodes"},
			{"--ignore-formatted", "-g", "", false, "skip directories that are formatted"},
			release,
			{"--feature", "-f", "FEATURE=LEVEL", false, "the level of one feature; may be repeated"},
			{"--standalone", "-s", "", false, "make this controller the only voter of a dynamic quorum"},
			{"--initial-controllers", "-I", "VOTERS", false, "the voters of a dynamic quorum, id@host:port:directory, separated by commas; the same for all nodes"},
			{"--no-initial-controllers", "-N", "", false, "join a dynamic quorum that exists or is formatted elsewhere"},
			{"--add-scram", "-S", "CREDENTIAL", false, "not available: this version has no authentication"},
		}, Tool.format},
		"version-mapping":      {[]flag{release}, Tool.versionMapping},
		"feature-dependencies": {[]flag{{"--feature", "-f", "FEATURE=LEVEL", true, "the feature and level to look up; may be repeated"}}, Tool.dependencies},
	}
}

// flag is an option of a command; value is "" for one that takes none.
type flag struct {
	long, short, value string
	required           bool
	doc                string
}

// String is the flag as messages name it.
func (f flag) String() string { return f.long + "/" + f.short }

// options are the flags given, by long name.
type options struct {
	command string
	set     map[string][]string
}

func (o options) last(name string) string {
	if v := o.set[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

func (o options) has(name string) bool { return o.set[name] != nil }

// parseOptions reads "--flag value", "--flag=value", "-f value" and "-fvalue".
func parseOptions(command string, flags []flag, args []string) (options, error) {
	o := options{command: command, set: map[string][]string{}}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "-h" || arg == "--help" {
			o.set["--help"] = []string{""}
			return o, nil
		}
		f, value, given := findFlag(flags, arg)
		switch {
		case f == nil:
			return o, usagef(command, "unrecognized argument %q", arg)
		case f.value == "" && given:
			return o, usagef(command, "%s takes no value, but got %q", f, value)
		case f.value != "" && !given:
			if len(args) == 0 {
				return o, usagef(command, "%s needs a value, its %s", f, f.value)
			}
			value, args = args[0], args[1:]
		}
		o.set[f.long] = append(o.set[f.long], value)
	}
	for _, f := range flags {
		if f.required && !o.has(f.long) {
			return o, usagef(command, "%s %s is missing", f, f.value)
		}
	}
	return o, exclusive(command, o)
}

func findFlag(flags []flag, arg string) (f *flag, value string, given bool) {
	name, value, given := strings.Cut(arg, "=")
	for i := range flags {
		f := &flags[i]
		switch {
		case name == f.long:
			return f, value, given
		case arg == f.short:
			return f, "", false
		case strings.HasPrefix(arg, f.short) && !strings.HasPrefix(arg, "--") && f.value != "":
			return f, arg[len(f.short):], true
		}
	}
	return nil, "", false
}

// exclusive lets only one of the ways to begin a quorum stand.
func exclusive(command string, o options) error {
	first := ""
	for _, name := range []string{"--standalone", "--no-initial-controllers", "--initial-controllers"} {
		switch {
		case !o.has(name):
		case first == "":
			first = name
		default:
			return usagef(command, "%s and %s exclude each other", first, name)
		}
	}
	return nil
}

// usage is the first line of the help.
func (t Tool) usage(command string) string {
	if command == "" {
		return "usage: " + t.Name + " [-h] {" + strings.ReplaceAll(names, " ", "") + "} ...\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s %s [-h]", t.Name, command)
	for _, f := range commands[command].flags {
		text := f.long
		if f.value != "" {
			text += " " + f.value
		}
		if !f.required {
			text = "[" + text + "]"
		}
		b.WriteString(" " + text)
	}
	return b.String() + "\n"
}

func (t Tool) help(command string) string {
	var b strings.Builder
	b.WriteString(t.usage(command))
	for _, f := range commands[command].flags {
		fmt.Fprintf(&b, "  %-36s %s\n", strings.TrimSpace(f.long+", "+f.short+" "+f.value), f.doc)
	}
	return b.String()
}

// load reads the configuration file.
func (t Tool) load(o options) (*config.Node, error) {
	name := o.last("--config")
	read := t.ReadFile
	if read == nil {
		read = func(name string) ([]byte, error) { return vfs.ReadFile(t.FS, name) }
	}
	text, err := read(name)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	n, err := config.Load(name, text, nil)
	if err != nil {
		return nil, &UsageError{Command: o.command, Err: err, File: true}
	}
	return n, nil
}

func (t Tool) info(o options) error {
	n, err := t.load(o)
	if err != nil {
		return err
	}
	if !t.Info(n, t.Out) {
		return ErrUnfit
	}
	return nil
}

func (t Tool) randomUUID(options) error {
	id, err := kafka.NewUUID(t.Random)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.Out, id)
	return nil
}

func (t Tool) format(o options) error {
	n, err := t.load(o)
	if err != nil {
		return err
	}
	if o.has("--add-scram") {
		return errors.New("--add-scram: this version has no authentication")
	}
	q := Request{
		Node: n, ClusterID: o.last("--cluster-id"), IgnoreFormatted: o.has("--ignore-formatted"),
		Release: o.last("--release-version"), Features: map[string]metadata.Level{},
		Standalone: o.has("--standalone"), NoInitialVoters: o.has("--no-initial-controllers"),
	}
	for _, f := range o.set["--feature"] {
		name, level, err := parseFeature(f)
		if err != nil {
			return err
		}
		q.Features[name] = level
	}
	if o.has("--initial-controllers") {
		if q.InitialVoters, err = ParseVoters(o.last("--initial-controllers")); err != nil {
			return &UsageError{Command: o.command, Err: err, Voters: true}
		}
	}
	return t.Format(q, t.Out)
}

func parseFeature(s string) (string, metadata.Level, error) {
	name, level, ok := strings.Cut(s, "=")
	if !ok {
		return "", 0, fmt.Errorf("Can't parse feature=level string %s: equals sign not found.", s)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(level), 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("Can't parse feature=level string %s: unable to parse %s as a short.", s, level)
	}
	return strings.TrimSpace(name), metadata.Level(n), nil
}

// mappedFeatures is the order in which version-mapping prints.
var mappedFeatures = []string{
	metadata.KRaftVersionFeature, metadata.TransactionFeature, metadata.GroupFeature,
	metadata.ELRFeature, metadata.ShareFeature, metadata.StreamsFeature,
}

func (t Tool) versionMapping(o options) error {
	r, name := Latest(), Latest().Name
	if o.has("--release-version") {
		var err error
		if r, err = FindRelease(o.last("--release-version")); err != nil {
			return err
		}
		name = o.last("--release-version")
	}
	fmt.Fprintf(t.Out, "metadata.version=%d (%s)\n", r.Metadata, name)
	for _, f := range mappedFeatures {
		fmt.Fprintf(t.Out, "%s=%d\n", f, r.Defaults[f])
	}
	return nil
}

func (t Tool) dependencies(o options) error {
	for _, s := range o.set["--feature"] {
		name, level, err := parseFeature(s)
		if err != nil {
			return err
		}
		r, known := releaseAt(level)
		switch {
		case name == metadata.MetadataVersionFeature && known:
			fmt.Fprintf(t.Out, "%s=%d (%s) has no dependencies.\n", name, level, r.Name)
			continue
		case name == metadata.MetadataVersionFeature:
			return fmt.Errorf("Unknown metadata.version %d", level)
		}
		if err := featureKnown(name, level); err != nil {
			return err
		}
		if name == metadata.ELRFeature && level > 0 {
			needs, _ := releaseAt(elrNeeds)
			fmt.Fprintf(t.Out, "%s=%d requires:\n    metadata.version=%d (%s)\n", name, level, needs.Metadata, needs.Name)
			continue
		}
		fmt.Fprintf(t.Out, "%s=%d has no dependencies.\n", name, level)
	}
	return nil
}

func featureKnown(name string, level metadata.Level) error {
	for _, f := range features {
		switch {
		case f.name != name:
		case level < 0 || level > f.max:
			return fmt.Errorf("Feature level %d is not supported for feature %s", level, name)
		default:
			return nil
		}
	}
	return fmt.Errorf("Unknown feature: %s", name)
}
