package profiles

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/reach"
)

// Command is `ottla profile`.
func Command(a *command.App) *cobra.Command {
	return command.Parent(&cobra.Command{
		Use: "profile", Short: "Keep servers and how to reach them under names",
		Long: "Keep servers and how to reach them under names.\n\n" +
			"A setting comes from the first of: its flag, -X, --command-config, the environment (OTTLA_*), the project's file\n" +
			"(.ottla.yaml, here or above, up to the folder of .git), the profile, the default. A profile is chosen by --profile,\n" +
			"OTTLA_PROFILE, the project's file, or `ottla profile use`. Secrets may be references: env:NAME, file:PATH, cmd:COMMAND.",
	}, list(a), current(a), use(a), add(a), edit(a), remove(a), bring(a), known(a))
}

// row is a profile in a list.
type row struct {
	Name     string `json:"name"`
	Current  bool   `json:"current"`
	Servers  string `json:"servers"`
	Protocol string `json:"securityProtocol"`
	User     string `json:"user,omitempty"`
}

func list(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List profiles", Args: command.Args(0, 0, "no arguments"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			f, err := open(a)
			if err != nil {
				return err
			}
			project, err := a.Project()
			if err != nil {
				return err
			}
			chosen, _ := a.ChosenProfile(project, f)
			var rows []row
			for _, p := range f.Profiles {
				l, err := reach.NewLayer(p.Name, false, p.Pairs)
				if err != nil {
					return &command.Error{What: "profile " + p.Name, Where: f.Path, Err: err}
				}
				s := reach.Resolve(l)
				rows = append(rows, row{p.Name, p.Name == chosen, s.Text(reach.Servers), s.Text(reach.Protocol), s.Text(reach.Username)})
			}
			if len(rows) == 0 {
				a.Notice("`ottla profile add NAME -b HOST:PORT` makes one, `ottla profile import` takes those of other tools")
			}
			return command.List(a, "ProfileList", "profiles", rows, []command.Column[row]{
				{Name: "NAME", Value: func(r row) string { return r.Name }},
				{Name: "CURRENT", Value: func(r row) string { return map[bool]string{true: "*"}[r.Current] }},
				{Name: "SERVERS", Value: func(r row) string { return r.Servers }},
				{Name: "PROTOCOL", Value: func(r row) string { return r.Protocol }},
				{Name: "USER", Value: func(r row) string { return r.User }},
			})
		},
	}
	a.OutputFlags(cmd.Flags())
	return a.Prints(cmd, command.ListOf[row]("ProfileList", "profiles"))
}

func open(a *command.App) (*reach.File, error) {
	f, err := reach.Open(a.ProfilePath())
	if err != nil {
		return nil, &command.Error{What: "read the profiles", Err: err, Hint: "`ottla profile edit` opens the file"}
	}
	return f, nil
}

func save(f *reach.File) error {
	if err := f.Save(); err != nil {
		return &command.Error{What: "write the profiles", Where: f.Path, Err: err}
	}
	return nil
}

// setting is a setting with its source.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"` // a secret is hidden
	Source string `json:"source"`
}

func current(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "current", Short: "Show each setting of the connection and where it comes from",
		Args: command.Args(0, 0, "no arguments"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.Settings()
			if err != nil {
				return err
			}
			var rows []setting
			for _, v := range s.All() {
				rows = append(rows, setting{v.Key.Name, v.Shown(), v.Where})
			}
			return command.List(a, "SettingList", "settings", rows, []command.Column[setting]{
				{Name: "SETTING", Value: func(s setting) string { return s.Name }},
				{Name: "VALUE", Value: func(s setting) string { return s.Value }},
				{Name: "SOURCE", Value: func(s setting) string { return s.Source }},
			})
		},
	}
	a.ClientFlags(cmd.Flags())
	return a.Prints(cmd, command.ListOf[setting]("SettingList", "settings"))
}

func use(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Take a profile from now on", Args: command.Args(1, 1, "the NAME of a profile"),
		ValidArgsFunction: complete(a),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := open(a)
			if err != nil {
				return err
			}
			if _, ok := f.Find(args[0]); !ok {
				return command.NoProfile(args[0], f.Path, f)
			}
			f.Current = args[0]
			if err := save(f); err != nil {
				return err
			}
			a.Notice("using %s; `ottla cluster info` looks whether its servers answer", args[0])
			return nil
		},
	}
}

// complete offers the names of profiles.
func complete(a *command.App) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		f, err := reach.Open(a.ProfilePath())
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f.Names(), cobra.ShellCompDirectiveNoFileComp
	}
}

// addition holds the flags of `profile add`.
type addition struct {
	servers, set []string
	file         string
	use, replace bool
}

func add(a *command.App) *cobra.Command {
	var n addition
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make a profile of servers and settings",
		Example: "  ottla profile add staging -b staging-1:9092,staging-2:9092 --use\n" +
			"  ottla profile add prod -b prod:9093 -X security.protocol=SASL_SSL -X sasl.mechanism=SCRAM-SHA-512 \\\n" +
			"      -X sasl.username=me -X sasl.password=env:KAFKA_PASSWORD",
		Args: command.Args(1, 1, "the NAME of a profile"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := n.profile(args[0])
			if err != nil {
				return err
			}
			return put(a, []reach.Profile{p}, n.replace, map[bool]string{true: p.Name}[n.use])
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&n.servers, "bootstrap-server", "b", nil, "addresses of servers, `HOST:PORT,...`")
	f.StringArrayVarP(&n.set, "config-set", "X", nil, "a setting, `KEY=VALUE`, by Java's or librdkafka's name (may be repeated)")
	f.StringVar(&n.file, "command-config", "", "settings from a `FILE` such as Java's client.properties")
	f.BoolVar(&n.use, "use", false, "take the profile from now on")
	replaceFlag(f, &n.replace)
	return cmd
}

func replaceFlag(f *pflag.FlagSet, replace *bool) {
	f.BoolVar(replace, "replace", false, "put it in the place of a profile of the same name")
}

// profile is what the flags say.
func (n *addition) profile(name string) (reach.Profile, error) {
	p := reach.Profile{Name: name}
	if len(n.servers) > 0 {
		p.Pairs = append(p.Pairs, reach.Pair{Name: reach.Servers, Value: strings.Join(n.servers, ",")})
	}
	for _, s := range n.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return p, command.Usagef("-X %s: want KEY=VALUE", s)
		}
		p.Pairs = append(p.Pairs, reach.Pair{Name: key, Value: value})
	}
	if err := check(p); err != nil {
		return p, err
	}
	if n.file == "" {
		return p, nil
	}
	imported, err := fromProperties(name, n.file)
	if err != nil {
		return p, err
	}
	for _, pair := range imported.Pairs {
		if !slices.ContainsFunc(p.Pairs, func(own reach.Pair) bool { return own.Name == pair.Name }) {
			p.Pairs = append(p.Pairs, pair)
		}
	}
	return p, nil
}

// check refuses settings that there are not, and servers that are no addresses.
func check(p reach.Profile) error {
	l, err := reach.NewLayer("profile "+p.Name, true, p.Pairs)
	if err == nil {
		_, err = reach.Resolve(l).Addresses()
	}
	if err != nil {
		e := command.Usagef("%v", err)
		e.Hint = "`ottla profile keys` lists all settings"
		return e
	}
	return nil
}

// put adds profiles to the user's file and takes the one called use from now on.
func put(a *command.App, profiles []reach.Profile, replace bool, use string) error {
	f, err := open(a)
	if err != nil {
		return err
	}
	plain := ""
	for _, p := range profiles {
		if _, there := f.Find(p.Name); there && !replace {
			e := command.Usagef("there is a profile %s already", p.Name)
			e.Hint = "--replace puts the new one in its place"
			return e
		}
		for _, pair := range p.Pairs {
			if k, _ := reach.Find(pair.Name); k.Secret && !reach.IsReference(pair.Value) {
				plain = pair.Name
			}
		}
		f.Put(p)
		a.Notice("profile %s is kept in %s", p.Name, f.Path)
	}
	if use != "" {
		f.Current = use
	}
	if plain != "" {
		a.Notice("%s stands there as it is; env:NAME, file:PATH or cmd:COMMAND would keep it elsewhere", plain)
	}
	if use == "" && f.Current == "" {
		a.Notice("`ottla profile use %s` takes it from now on", profiles[0].Name)
	}
	return save(f)
}

func edit(a *command.App) *cobra.Command {
	return &cobra.Command{
		Use: "edit", Short: "Open the file of profiles in $VISUAL or $EDITOR", Args: command.Args(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := reach.Open(a.ProfilePath())
			if f == nil || f.Path == "" {
				return &command.Error{What: "edit the profiles", Err: errors.Join(errors.New("there is no file"), err)}
			}
			if _, err := os.Stat(f.Path); err != nil {
				if err := save(f); err != nil {
					return err
				}
			}
			editor := "vi"
			for _, variable := range []string{"EDITOR", "VISUAL"} {
				if v := a.World.Getenv(variable); v != "" {
					editor = v
				}
			}
			run := exec.CommandContext(cmd.Context(), "sh", "-c", editor+` "$1"`, "sh", f.Path)
			run.Stdin, run.Stdout, run.Stderr = a.World.In, a.World.Out, a.World.Err
			if err := run.Run(); err != nil {
				return &command.Error{What: "edit the profiles", Where: editor, Err: err, Hint: "EDITOR names another editor"}
			}
			if f, err = open(a); err != nil {
				return err
			}
			for _, p := range f.Profiles {
				if err := check(p); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func remove(a *command.App) *cobra.Command {
	d := command.Danger{Does: "forgets how servers are reached"}
	cmd := &cobra.Command{
		Use: "delete NAME...", Short: "Forget profiles", Args: command.Args(1, -1, "the NAME of a profile"),
		ValidArgsFunction: complete(a),
		RunE: func(_ *cobra.Command, names []string) error {
			if err := a.MayAsk(d); err != nil {
				return err
			}
			f, err := open(a)
			if err != nil {
				return err
			}
			var lines []string
			for _, name := range names {
				p, ok := f.Find(name)
				if !ok {
					return command.NoProfile(name, f.Path, f)
				}
				lines = append(lines, fmt.Sprintf("delete profile %q: %s", name, command.Count(int64(len(p.Pairs)), "setting")))
			}
			if d.DryRun {
				return a.Planned(lines, &command.Failures{})
			}
			if err := a.Confirm(d, lines); err != nil {
				return err
			}
			for _, name := range names {
				f.Remove(name)
			}
			return save(f)
		},
	}
	d.Flags(cmd.Flags())
	a.OutputFlags(cmd.Flags())
	return cmd
}

// keyRow is a setting that there is.
type keyRow struct {
	Name     string   `json:"name"`
	Also     []string `json:"also"` // librdkafka's names
	Variable string   `json:"variable"`
	Default  string   `json:"default"`
	Secret   bool     `json:"secret"`
	Doc      string   `json:"doc"`
}

func known(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "List all settings of a connection", Args: command.Args(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			var rows []keyRow
			for _, k := range reach.Keys() {
				rows = append(rows, keyRow{k.Name, command.OrNone(k.Also), k.Variable(), k.Default, k.Secret, k.Doc})
			}
			return command.List(a, "SettingKeyList", "keys", rows, []command.Column[keyRow]{
				{Name: "SETTING", Value: func(k keyRow) string { return k.Name }},
				{Name: "DEFAULT", Value: func(k keyRow) string { return k.Default }},
				{Name: "MEANING", Value: func(k keyRow) string { return k.Doc }},
				{Name: "ALSO", Value: func(k keyRow) string { return strings.Join(k.Also, ",") }, Wide: true},
				{Name: "VARIABLE", Value: func(k keyRow) string { return k.Variable }, Wide: true},
			})
		},
	}
	a.OutputFlags(cmd.Flags())
	return a.Prints(cmd, command.ListOf[keyRow]("SettingKeyList", "keys"))
}
