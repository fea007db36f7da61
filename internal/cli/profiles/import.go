package profiles

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/cli/reach"
)

// tool is another tool whose configuration can be taken over.
type tool struct {
	name string
	// path is where its file is unless one is given, from the home folder.
	path string
	read func(text []byte) (all []reach.Profile, current string, err error)
}

var tools = []tool{
	{"rpk", ".config/rpk/rpk.yaml", readRpk},
	{"kafkactl", ".config/kafkactl/config.yml", readKafkactl},
	{"kaf", ".kaf/config", readKaf},
}

const properties = "client.properties"

func bring(a *command.App) *cobra.Command {
	var name, d = "", false
	var replace bool
	words := []string{properties}
	for _, t := range tools {
		words = append(words, t.name)
	}
	cmd := &cobra.Command{
		Use: "import rpk|kafkactl|kaf|client.properties [FILE]", Short: "Take over the servers of another tool",
		Long: "Take over the servers of another tool: each of its profiles, contexts or clusters becomes a profile.\n\n" +
			"Without FILE the tool's own file is read: ~/.config/rpk/rpk.yaml, ~/.config/kafkactl/config.yml, ~/.kaf/config.\n" +
			"What can't be taken over is told.",
		Example: "  ottla profile import rpk\n  ottla profile import client.properties prod.properties --name prod",
		Args:    command.Args(1, 2, "the name of a tool and one FILE at most"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			all, current, err := readTool(a, args, name)
			if err != nil {
				return err
			}
			for _, p := range all {
				if err := check(p); err != nil {
					return err
				}
			}
			if d {
				var lines []string
				for _, p := range all {
					lines = append(lines, fmt.Sprintf("add profile %q: %s", p.Name, value(p, reach.Servers)))
				}
				return a.Planned(lines, &command.Failures{})
			}
			a.Notice("%s uses %s", args[0], command.Dash(current))
			return put(a, all, replace, "")
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the `NAME` of the profile that client.properties becomes (default: the file's)")
	cmd.Flags().BoolVar(&d, "dry-run", false, "show what would be done and do nothing")
	replaceFlag(cmd.Flags(), &replace)
	return cmd
}

func readTool(a *command.App, args []string, name string) (all []reach.Profile, current string, err error) {
	if args[0] == properties {
		if len(args) < 2 {
			return nil, "", command.Usagef("import client.properties needs the FILE")
		}
		if name == "" {
			name = strings.TrimSuffix(filepath.Base(args[1]), filepath.Ext(args[1]))
		}
		p, err := fromProperties(name, args[1])
		return []reach.Profile{p}, name, err
	}
	if name != "" {
		return nil, "", command.Usagef("--name is for client.properties: the others have names")
	}
	var known []string
	for _, t := range tools {
		known = append(known, t.name)
		if t.name != args[0] {
			continue
		}
		path := append(args, filepath.Join(a.World.Getenv("HOME"), t.path))[1]
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, "", &command.Error{What: "import from " + t.name, Err: err, Hint: "FILE names another file"}
		}
		all, current, err = t.read(text)
		if err == nil && len(all) == 0 {
			err = errors.New("there is no cluster in it")
		}
		if err != nil {
			return nil, "", &command.Error{What: "import from " + t.name, Where: path, Err: err}
		}
		return all, current, nil
	}
	e := command.Usagef("%q is no tool that can be imported from", args[0])
	if e.Hint = command.DidYouMean(args[0], append(known, properties)); e.Hint == "" {
		e.Hint = "there are rpk, kafkactl, kaf and client.properties"
	}
	return nil, "", e
}

// fromProperties keeps the settings of an application's file that are about the connection.
func fromProperties(name, path string) (reach.Profile, error) {
	p := reach.Profile{Name: name}
	text, err := os.ReadFile(path)
	if err != nil {
		return p, &command.Error{What: "read " + properties, Err: err}
	}
	pairs, err := reach.Properties(path, text)
	if err == nil {
		_, err = reach.NewLayer(path, false, pairs)
	}
	if err != nil {
		return p, command.Usagef("%v", err)
	}
	for _, pair := range pairs {
		if k, ok := reach.Find(pair.Name); ok {
			p.Pairs = append(p.Pairs, reach.Pair{Name: k.Name, Value: pair.Value})
		}
	}
	return p, nil
}

func value(p reach.Profile, name string) string {
	for _, pair := range p.Pairs {
		if pair.Name == name {
			return pair.Value
		}
	}
	return ""
}

// cluster is what the three tools have in common.
type cluster struct {
	name, clientID string
	brokers        []string
	timeout        string
	encrypted      bool
	ca, cert, key  string
	insecure       bool

	mechanism, user, password, token string
}

// profile puts it in our words.
func (c cluster) profile() (reach.Profile, error) {
	p := reach.Profile{Name: c.name}
	add := func(name, value string) {
		if value != "" {
			p.Pairs = append(p.Pairs, reach.Pair{Name: name, Value: value})
		}
	}
	add(reach.Servers, strings.Join(c.brokers, ","))
	add(reach.ClientID, c.clientID)
	if c.timeout != "" {
		d, err := time.ParseDuration(c.timeout)
		if err != nil {
			return p, fmt.Errorf("%s: %w", c.name, err)
		}
		add(reach.RequestTimeout, strconv.FormatInt(d.Milliseconds(), 10))
	}
	protocol := "PLAINTEXT"
	if c.encrypted {
		protocol = "SSL"
		add(reach.CALocation, c.ca)
		add(reach.CertLocation, c.cert)
		add(reach.KeyLocation, c.key)
		if c.insecure {
			add(reach.CheckCert, "false")
		}
	}
	if c.user != "" || c.token != "" {
		protocol = map[string]string{"PLAINTEXT": "SASL_PLAINTEXT", "SSL": "SASL_SSL"}[protocol]
		mechanism, ok := mechanisms[strings.ToLower(c.mechanism)]
		if !ok {
			return p, fmt.Errorf("%s: the mechanism %s can't be taken over", c.name, c.mechanism)
		}
		add(reach.Mechanism, mechanism)
		add(reach.Username, c.user)
		add(reach.Password, c.password)
		add(reach.Token, c.token)
	}
	add(reach.Protocol, protocol)
	return p, nil
}

// mechanisms are what the tools call them.
var mechanisms = map[string]string{
	"": "PLAIN", "plain": "PLAIN", "plaintext": "PLAIN", "oauth": "OAUTHBEARER", "oauthbearer": "OAUTHBEARER",
	"scram-sha-256": "SCRAM-SHA-256", "scram-sha256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512", "scram-sha512": "SCRAM-SHA-512",
}

func profilesOf(clusters []cluster) ([]reach.Profile, error) {
	var all []reach.Profile
	for _, c := range clusters {
		p, err := c.profile()
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// readRpk reads rpk.yaml. TLS is on where its section stands, unless it says enabled: false.
func readRpk(text []byte) ([]reach.Profile, string, error) {
	var file struct {
		Current  string `yaml:"current_profile"`
		Profiles []struct {
			Name  string `yaml:"name"`
			Kafka struct {
				Brokers []string `yaml:"brokers"`
				TLS     *struct {
					Enabled  *bool  `yaml:"enabled"`
					Key      string `yaml:"key_file"`
					Cert     string `yaml:"cert_file"`
					CA       string `yaml:"ca_file"`
					Insecure bool   `yaml:"insecure_skip_verify"`
				} `yaml:"tls"`
				SASL struct {
					User      string `yaml:"user"`
					Password  string `yaml:"password"`
					Mechanism string `yaml:"mechanism"`
				} `yaml:"sasl"`
			} `yaml:"kafka_api"`
		} `yaml:"profiles"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, "", err
	}
	var clusters []cluster
	for _, p := range file.Profiles {
		k := p.Kafka
		c := cluster{name: p.Name, brokers: k.Brokers, mechanism: k.SASL.Mechanism, user: k.SASL.User, password: k.SASL.Password}
		if t := k.TLS; t != nil && (t.Enabled == nil || *t.Enabled) {
			c.encrypted, c.ca, c.cert, c.key, c.insecure = true, t.CA, t.Cert, t.Key, t.Insecure
		}
		clusters = append(clusters, c)
	}
	all, err := profilesOf(clusters)
	return all, file.Current, err
}

// readKafkactl reads config.yml of kafkactl.
func readKafkactl(text []byte) ([]reach.Profile, string, error) {
	type section struct {
		Brokers  []string `yaml:"brokers"`
		ClientID string   `yaml:"clientID"`
		Timeout  string   `yaml:"requestTimeout"`
		TLS      struct {
			Enabled  bool   `yaml:"enabled"`
			CA       string `yaml:"ca"`
			Cert     string `yaml:"cert"`
			Key      string `yaml:"certKey"`
			Insecure bool   `yaml:"insecure"`
		} `yaml:"tls"`
		SASL struct {
			Enabled   bool   `yaml:"enabled"`
			User      string `yaml:"username"`
			Password  string `yaml:"password"`
			Mechanism string `yaml:"mechanism"`
		} `yaml:"sasl"`
	}
	var file struct {
		Current  string        `yaml:"current-context"`
		Contexts yaml.MapSlice `yaml:"contexts"`
	}
	var sections struct {
		Contexts map[string]section `yaml:"contexts"`
	}
	if err := errors.Join(yaml.Unmarshal(text, &file), yaml.Unmarshal(text, &sections)); err != nil {
		return nil, "", err
	}
	var clusters []cluster
	for _, item := range file.Contexts { // in the file's order
		name := fmt.Sprint(item.Key)
		s := sections.Contexts[name]
		c := cluster{name: name, brokers: s.Brokers, clientID: s.ClientID, timeout: s.Timeout,
			encrypted: s.TLS.Enabled, ca: s.TLS.CA, cert: s.TLS.Cert, key: s.TLS.Key, insecure: s.TLS.Insecure}
		if s.SASL.Enabled {
			c.mechanism, c.user, c.password = s.SASL.Mechanism, s.SASL.User, s.SASL.Password
		}
		clusters = append(clusters, c)
	}
	all, err := profilesOf(clusters)
	return all, file.Current, err
}

// readKaf reads ~/.kaf/config. TLS is on where its section stands or security-protocol says so.
func readKaf(text []byte) ([]reach.Profile, string, error) {
	var file struct {
		Current  string `yaml:"current-cluster"`
		Clusters []struct {
			Name    string   `yaml:"name"`
			Brokers []string `yaml:"brokers"`
			SASL    *struct {
				Mechanism string `yaml:"mechanism"`
				User      string `yaml:"username"`
				Password  string `yaml:"password"`
				Token     string `yaml:"token"`
			} `yaml:"SASL"`
			TLS *struct {
				CA       string `yaml:"cafile"`
				Cert     string `yaml:"clientfile"`
				Key      string `yaml:"clientkeyfile"`
				Insecure bool   `yaml:"insecure"`
			} `yaml:"TLS"`
			Protocol string `yaml:"security-protocol"`
		} `yaml:"clusters"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, "", err
	}
	var clusters []cluster
	for _, k := range file.Clusters {
		c := cluster{name: k.Name, brokers: k.Brokers, encrypted: strings.HasSuffix(strings.ToUpper(k.Protocol), "SSL")}
		if k.SASL != nil {
			c.mechanism, c.user, c.password, c.token = k.SASL.Mechanism, k.SASL.User, k.SASL.Password, k.SASL.Token
		}
		if k.TLS != nil {
			c.encrypted, c.ca, c.cert, c.key, c.insecure = true, k.TLS.CA, k.TLS.Cert, k.TLS.Key, k.TLS.Insecure
		}
		clusters = append(clusters, c)
	}
	all, err := profilesOf(clusters)
	return all, file.Current, err
}
