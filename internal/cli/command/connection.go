package command

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ottla/ottla/internal/cli/reach"
)

// connection is what the command line says about the server.
type connection struct {
	servers        []string
	requestTimeout TimeoutFlag
	set            []string // of -X
	file           string   // of --command-config
	profile        string

	resolved *reach.Settings
	failure  error
}

// ClientFlags adds the flags of every command that asks a server, those of the output included.
func (a *App) ClientFlags(f *pflag.FlagSet) {
	a.ServerFlags(f)
	a.OutputFlags(f)
}

// ServerFlags adds the flags that say which server is asked, and how.
func (a *App) ServerFlags(f *pflag.FlagSet) {
	f.StringArrayVarP(&a.servers, "bootstrap-server", "b", nil,
		"addresses of one or more servers, `HOST:PORT,...` (default: OTTLA_BOOTSTRAP_SERVER, a profile, 127.0.0.1:9092)")
	f.Var(&a.requestTimeout, "request-timeout", "how long to wait for a server's answer (default 10s)")
	f.StringArrayVarP(&a.set, "config-set", "X", nil, "a setting of the connection, `KEY=VALUE`, by Java's or librdkafka's name (may be repeated)")
	f.StringVar(&a.file, "command-config", "", "settings of the connection from a `FILE` such as Java's client.properties")
	f.StringVar(&a.profile, "profile", "", "the `NAME` of a profile (default: OTTLA_PROFILE, the project's, the current one)")
}

// whereSettings is the hint of a connection that can't be made as it is set.
const whereSettings = "`ottla profile current` shows each setting and where it comes from"

// Settings are those of the connection, from all their sources. They are found once.
func (a *App) Settings() (reach.Settings, error) {
	if a.resolved == nil {
		s, err := a.resolve()
		a.resolved, a.failure = &s, err
	}
	return *a.resolved, a.failure
}

func (a *App) resolve() (reach.Settings, error) {
	var layers []reach.Layer
	add := func(l reach.Layer, err error) error {
		if err != nil {
			return settingFailed(err)
		}
		layers = append(layers, l)
		return nil
	}
	for _, source := range []func() (reach.Layer, error){a.flagLayer, a.setLayer, a.fileLayer, func() (reach.Layer, error) {
		return reach.Environment(a.World.Getenv)
	}} {
		if err := add(source()); err != nil {
			return reach.Settings{}, err
		}
	}
	project, err := a.Project()
	if err != nil {
		return reach.Settings{}, settingFailed(err)
	}
	if project != nil {
		if err := add(reach.NewLayer("project "+project.Path, true, project.Pairs)); err != nil {
			return reach.Settings{}, err
		}
	}
	pairs, where, err := a.profilePairs(project)
	if err != nil {
		return reach.Settings{}, err
	}
	if err := add(reach.NewLayer(where, true, pairs)); err != nil {
		return reach.Settings{}, err
	}
	return reach.Resolve(layers...), nil
}

func settingFailed(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	use := Usagef("%v", err)
	var unknown *reach.Unknown
	if errors.As(err, &unknown) {
		use.Hint = DidYouMean(unknown.Name, reach.Names())
	}
	if use.Hint == "" {
		use.Hint = "`ottla profile keys` lists all settings"
	}
	return use
}

// flagLayer is what has a flag of its own.
func (a *App) flagLayer() (reach.Layer, error) {
	var pairs []reach.Pair
	if len(a.servers) > 0 {
		pairs = append(pairs, reach.Pair{Name: reach.Servers, Value: strings.Join(a.servers, ","), Where: "--bootstrap-server"})
	}
	return reach.NewLayer("flags", true, pairs)
}

func (a *App) setLayer() (reach.Layer, error) {
	var pairs []reach.Pair
	for _, given := range a.set {
		name, value, ok := strings.Cut(given, "=")
		if !ok || name == "" {
			return reach.Layer{}, Usagef("-X %s: want KEY=VALUE", given)
		}
		pairs = append(pairs, reach.Pair{Name: name, Value: value})
	}
	return reach.NewLayer("-X", true, pairs)
}

func (a *App) fileLayer() (reach.Layer, error) {
	var pairs []reach.Pair
	if a.file != "" {
		text, err := os.ReadFile(a.file)
		if err != nil {
			return reach.Layer{}, &Error{What: "--command-config", Err: err}
		}
		if pairs, err = reach.Properties(a.file, text); err != nil {
			return reach.Layer{}, Usagef("--command-config: %v", err)
		}
	}
	return reach.NewLayer("--command-config", false, pairs)
}

// ProfilePath is where the user's profiles are kept, "" when the machine has no place for them.
func (a *App) ProfilePath() string {
	if a.World.ConfigDir == "" {
		return ""
	}
	return filepath.Join(a.World.ConfigDir, "ottla", "config.yaml")
}

// Project is the project's file that counts, nil for none: a profile that is asked for by name stands in its place.
func (a *App) Project() (*reach.Project, error) {
	if a.profile != "" || a.World.Getenv("OTTLA_PROFILE") != "" {
		return nil, nil
	}
	return reach.FindProject(a.World.Dir)
}

// ChosenProfile is the name of the profile that counts, and who chose it; "" for none. project may be nil.
func (a *App) ChosenProfile(project *reach.Project, f *reach.File) (name, by string) {
	switch {
	case a.profile != "":
		return a.profile, "--profile"
	case a.World.Getenv("OTTLA_PROFILE") != "":
		return a.World.Getenv("OTTLA_PROFILE"), "OTTLA_PROFILE"
	case project != nil && project.Profile != "":
		return project.Profile, project.Path
	case !project.Inherits():
		return "", ""
	}
	return f.Current, f.Path
}

// profilePairs are the settings of the user's profile that counts.
func (a *App) profilePairs(project *reach.Project) (pairs []reach.Pair, where string, err error) {
	f, err := reach.Open(a.ProfilePath())
	if err != nil {
		return nil, "", err
	}
	name, by := a.ChosenProfile(project, f)
	if name == "" {
		return nil, "profile", nil
	}
	p, ok := f.Find(name)
	if !ok {
		return nil, "", NoProfile(name, by, f)
	}
	return p.Pairs, "profile " + name, nil
}

// elsewhere are the settings of a profile, or of bare addresses.
func (a *App) elsewhere(where string) (reach.Settings, error) {
	f, err := reach.Open(a.ProfilePath())
	if err != nil {
		return reach.Settings{}, settingFailed(err)
	}
	pairs := []reach.Pair{{Name: reach.Servers, Value: where}}
	if p, ok := f.Find(where); ok {
		pairs = p.Pairs
	}
	l, err := reach.NewLayer("server "+where, true, pairs)
	if err != nil {
		return reach.Settings{}, settingFailed(err)
	}
	return reach.Resolve(l), nil
}

// NoProfile says that there is no profile of a name, and which may have been meant.
func NoProfile(name, by string, f *reach.File) error {
	e := &Error{What: "profile " + name, Where: by, Err: errors.New("there is no such profile"), Exit: NotFound, Hint: DidYouMean(name, f.Names())}
	if e.Hint == "" {
		e.Hint = "`ottla profile list` shows those that there are, `ottla profile add` makes one"
	}
	return e
}

// Timeout is how long a request may take: what the flag says, else the settings.
func (a *App) Timeout() time.Duration {
	if d := time.Duration(a.requestTimeout); d > 0 {
		return d
	}
	s, err := a.Settings()
	if d := s.Duration(reach.RequestTimeout); err == nil && d > 0 {
		return d
	}
	return defaultRequestTimeout
}

// Loopback says whether host is this machine by its own name or address.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
