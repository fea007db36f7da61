package reach

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Profile is some settings under a name.
type Profile struct {
	Name  string
	Pairs []Pair // in the file's order
}

// File is the user's file of profiles, ottla/config.yaml.
type File struct {
	Path string
	// Current is the profile that is used when none is named.
	Current  string
	Profiles []Profile

	comments yaml.CommentMap
}

// Open reads the user's file; one that is not there is empty.
func Open(path string) (*File, error) {
	f := &File{Path: path, comments: yaml.CommentMap{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || path == "" {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	return f, f.parse(text)
}

func (f *File) parse(text []byte) error {
	var top yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &top, yaml.UseOrderedMap(), yaml.CommentToMap(f.comments)); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	for _, item := range top {
		switch item.Key {
		case "current":
			f.Current = fmt.Sprint(item.Value)
		case "profiles":
			profiles, ok := item.Value.(yaml.MapSlice)
			if !ok && item.Value != nil {
				return fmt.Errorf("%s: profiles: want a name and its settings for each", f.Path)
			}
			for _, p := range profiles {
				pairs, err := pairsOf(f.Path, p.Value)
				if err != nil {
					return err
				}
				f.Profiles = append(f.Profiles, Profile{fmt.Sprint(p.Key), pairs})
			}
		default:
			return fmt.Errorf("%s: %v is not known: there are current and profiles", f.Path, item.Key)
		}
	}
	return nil
}

func pairsOf(path string, v any) ([]Pair, error) {
	all, ok := v.(yaml.MapSlice)
	if !ok && v != nil {
		return nil, fmt.Errorf("%s: settings are KEY: VALUE", path)
	}
	var pairs []Pair
	for _, item := range all {
		text := fmt.Sprint(item.Value)
		switch list := item.Value.(type) {
		case nil:
			text = ""
		case []any:
			var words []string
			for _, w := range list {
				words = append(words, fmt.Sprint(w))
			}
			text = strings.Join(words, ",")
		}
		pairs = append(pairs, Pair{Name: fmt.Sprint(item.Key), Value: text})
	}
	return pairs, nil
}

// Find returns the profile of a name.
func (f *File) Find(name string) (Profile, bool) {
	i := slices.IndexFunc(f.Profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return f.Profiles[i], true
}

// Names are the names of all profiles.
func (f *File) Names() []string {
	var all []string
	for _, p := range f.Profiles {
		all = append(all, p.Name)
	}
	return all
}

// Put adds a profile, or replaces the one of the same name.
func (f *File) Put(p Profile) {
	if i := slices.IndexFunc(f.Profiles, func(o Profile) bool { return o.Name == p.Name }); i >= 0 {
		f.Profiles[i] = p
		return
	}
	f.Profiles = append(f.Profiles, p)
}

// Remove takes a profile out.
func (f *File) Remove(name string) {
	f.Profiles = slices.DeleteFunc(f.Profiles, func(p Profile) bool { return p.Name == name })
	if f.Current == name {
		f.Current = ""
	}
}

// Save writes the file, for the user's eyes only: passwords may be in it. Comments stay where their setting does.
func (f *File) Save() error {
	if f.Path == "" {
		return errors.New("this machine has no folder for configuration: set HOME or XDG_CONFIG_HOME")
	}
	var top, profiles yaml.MapSlice
	if f.Current != "" {
		top = append(top, yaml.MapItem{Key: "current", Value: f.Current})
	}
	for _, p := range f.Profiles {
		var all yaml.MapSlice
		for _, pair := range p.Pairs {
			all = append(all, yaml.MapItem{Key: pair.Name, Value: pair.Value})
		}
		profiles = append(profiles, yaml.MapItem{Key: p.Name, Value: all})
	}
	top = append(top, yaml.MapItem{Key: "profiles", Value: profiles})
	text, err := yaml.MarshalWithOptions(top, yaml.WithComment(f.comments))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return err
	}
	aside := f.Path + ".new"
	if err := os.WriteFile(aside, text, 0o600); err != nil {
		return err
	}
	return os.Rename(aside, f.Path)
}

// projectFile is the name of a project's file.
const projectFile = ".ottla.yaml"

// Project is a project's own file: a profile of the user's to take, and settings of its own.
type Project struct {
	Path    string
	Profile string
	Pairs   []Pair
}

// FindProject looks for a project's file in dir and above it, up to the folder that holds .git. Outside of a repository
// only dir counts: what lies above it may be anybody's. nil when there is none.
func FindProject(dir string) (*Project, error) {
	var found string
	for at := dir; dir != ""; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, projectFile)); err == nil && found == "" {
			found = filepath.Join(at, projectFile)
		}
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			break
		}
		if at == filepath.Dir(at) { // no repository
			if found != filepath.Join(dir, projectFile) {
				found = ""
			}
			break
		}
	}
	if found == "" {
		return nil, nil
	}
	text, err := os.ReadFile(found)
	if err != nil {
		return nil, err
	}
	return parseProject(found, text)
}

func parseProject(path string, text []byte) (*Project, error) {
	p := &Project{Path: path}
	var top yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &top, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, item := range top {
		switch item.Key {
		case "profile":
			p.Profile = fmt.Sprint(item.Value)
		case "settings":
			pairs, err := pairsOf(path, item.Value)
			if err != nil {
				return nil, err
			}
			p.Pairs = pairs
		default:
			return nil, fmt.Errorf("%s: %v is not known: there are profile and settings", path, item.Key)
		}
	}
	if p.Profile != "" && !p.Inherits() {
		return nil, fmt.Errorf("%s: profile and settings of servers or their protection exclude each other", path)
	}
	for i, pair := range p.Pairs {
		if err := p.trusts(pair); err != nil {
			return nil, err
		}
		p.Pairs[i].Value = p.within(pair)
	}
	return p, nil
}

// trusts refuses what a stranger's project could do harm with.
func (p *Project) trusts(pair Pair) error {
	kind, name, _ := strings.Cut(pair.Value, ":")
	k, _ := Find(pair.Name)
	switch {
	case !k.Secret:
		return nil
	case kind == "cmd":
		return fmt.Errorf("%s: %s: a project's file may not run commands; put it into a profile of yours", p.Path, pair.Name)
	case kind == "env" && !strings.HasPrefix(name, "OTTLA_") && !strings.HasPrefix(name, "KAFKA_"):
		return fmt.Errorf("%s: %s: a project's file reads only variables that begin with OTTLA_ or KAFKA_, not %s", p.Path, pair.Name, name)
	case kind == "file" && !filepath.IsLocal(name):
		return fmt.Errorf("%s: %s: a project's file reads only files of the project, not %s", p.Path, pair.Name, name)
	}
	return nil
}

// within makes a path of the file one from where the file is.
func (p *Project) within(pair Pair) string {
	k, _ := Find(pair.Name)
	name, reference := strings.CutPrefix(pair.Value, "file:")
	isPath := k.Secret && reference || strings.HasSuffix(k.Name, ".location")
	if !isPath || filepath.IsAbs(name) {
		return pair.Value
	}
	name = filepath.Join(filepath.Dir(p.Path), name)
	if reference {
		return "file:" + name
	}
	return name
}

// Inherits reports whether the user's profile counts below the project: not where the project itself says which servers to
// talk to or how they are protected, because the user's password is for other servers, or for better protected ones.
func (p *Project) Inherits() bool {
	return p == nil || !slices.ContainsFunc(p.Pairs, func(pair Pair) bool {
		k, _ := Find(pair.Name)
		return k.Name == Servers || k.protects()
	})
}
