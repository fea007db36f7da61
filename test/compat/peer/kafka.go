package peer

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Versions of Apache Kafka: the server and the clients are 4.4.0; the newest tools that Maven Central has are 4.3.1.
const (
	ServerVersion = "4.4.0"
	ToolsVersion  = "4.3.1"
	// OldVersion is the last that knows ZooKeeper and the levels of metadata.version before 3.3.
	OldVersion = "3.9.1"
)

const log4jVersion = "2.25.4"

// CacheDir is where the suites install what they fetch: $OTTLA_COMPAT_CACHE, or ottla-compat in the user's cache.
func CacheDir() (string, error) {
	if d := os.Getenv("OTTLA_COMPAT_CACHE"); d != "" {
		return d, os.MkdirAll(d, 0o755)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	d := filepath.Join(base, "ottla-compat")
	return d, os.MkdirAll(d, 0o755)
}

// ServerJars gives the class path of Apache Kafka's server (and its Java client), fetched once.
func ServerJars(ctx context.Context) (string, error) {
	// kafka-tools-api 4.4.0, which the server names, is not on Maven Central; 4.3.1 serves.
	return jars(ctx, "kafka-server-"+ServerVersion,
		dependency("org.apache.kafka", "kafka_2.13", ServerVersion,
			"<exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions>")+
			dependency("org.apache.kafka", "kafka-tools-api", ToolsVersion, ""))
}

// OldJars gives the class path of a server that knows ZooKeeper, and of ZooKeeper, fetched once.
func OldJars(ctx context.Context) (string, error) {
	return jars(ctx, "kafka-server-"+OldVersion, dependency("org.apache.kafka", "kafka_2.13", OldVersion, ""))
}

// ToolJars gives the class path of Apache Kafka's command-line tools, fetched once.
func ToolJars(ctx context.Context) (string, error) {
	return jars(ctx, "kafka-tools-"+ToolsVersion,
		dependency("org.apache.kafka", "kafka_2.13", ToolsVersion, "")+
			dependency("org.apache.kafka", "kafka-tools", ToolsVersion, "")+
			dependency("org.apache.kafka", "kafka-shell", ToolsVersion, ""))
}

func dependency(group, artifact, version, more string) string {
	return fmt.Sprintf("<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>%s</dependency>",
		group, artifact, version, more)
}

// jars lets Maven copy the dependencies into a folder of the cache. The folder appears under its name only when whole.
func jars(ctx context.Context, name, dependencies string) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, name)
	if _, err := os.Stat(dir); err == nil {
		return filepath.Join(dir, "*"), nil
	}
	tmp, err := os.MkdirTemp(cache, name+".part")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	pom := `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
		`<groupId>ottla</groupId><artifactId>compat</artifactId><version>1</version><dependencies>` + dependencies +
		dependency("org.apache.logging.log4j", "log4j-slf4j-impl", log4jVersion, "") + `</dependencies></project>`
	if err := os.WriteFile(filepath.Join(tmp, "pom.xml"), []byte(pom), 0o644); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=.")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn for %s: %w\n%s", name, err, out)
	}
	if err := os.Rename(tmp, dir); err != nil {
		// Another run was faster; its folder is as good.
		if _, statErr := os.Stat(dir); statErr != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "*"), nil
}

// prepareKafka writes the properties file, formats an empty directory, and gives the command line.
func prepareKafka(ctx context.Context, o Options) ([]string, error) {
	cp, err := ServerJars(ctx)
	if o.Version == OldVersion {
		cp, err = OldJars(ctx)
	}
	if err != nil {
		return nil, err
	}
	if o.ClassPath != "" {
		cp = o.ClassPath + ":" + cp
	}
	file, err := writeProperties(o)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "meta.properties")); os.IsNotExist(err) {
		argv := append([]string{"-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=OFF", "-cp", cp, "kafka.tools.StorageTool"}, o.format(file)...)
		out, err := exec.CommandContext(ctx, "java", argv...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("format %s: %w\n%s", o.Dir, err, out)
		}
	}
	if o.JVM != nil {
		return append(append([]string{"java"}, o.JVM...), "-cp", cp, "kafka.Kafka", file), nil
	}
	if o.Short {
		return []string{"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", cp, "kafka.Kafka", file}, nil
	}
	// -Xms fixed and G1 named: a JVM on a small machine picks a serial collector, and stalls.
	return []string{"java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-cp", cp, "kafka.Kafka", file}, nil
}

// format gives the arguments of kafka-storage and of ottla storage.
func (o Options) format(file string) []string {
	argv := []string{"format", "-t", o.ClusterID, "-c", file}
	if o.Standalone {
		argv = append(argv, "--standalone")
	}
	if o.Release != "" {
		argv = append(argv, "--release-version", o.Release)
	}
	return argv
}

// properties gives the server properties of a node of one, the same for both implementations.
func (o Options) properties() map[string]string {
	p := map[string]string{
		"process.roles":                                    "broker,controller",
		"node.id":                                          fmt.Sprint(NodeID),
		"controller.quorum.voters":                         fmt.Sprintf("%d@%s", NodeID, o.Controller),
		"listeners":                                        "PLAINTEXT://" + o.Listen + ",CONTROLLER://" + o.Controller,
		"advertised.listeners":                             "PLAINTEXT://" + o.Listen,
		"listener.security.protocol.map":                   "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
		"inter.broker.listener.name":                       "PLAINTEXT",
		"controller.listener.names":                        "CONTROLLER",
		"log.dirs":                                         o.Dir,
		"group.initial.rebalance.delay.ms":                 "0",
		"offsets.topic.replication.factor":                 "1",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",
	}
	if o.Standalone {
		delete(p, "controller.quorum.voters")
		p["controller.quorum.bootstrap.servers"] = o.Controller
	}
	if o.BrokerOnly {
		p["process.roles"], p["listeners"] = "broker", "PLAINTEXT://"+o.Listen
	}
	maps.Copy(p, o.Properties)
	return p
}

// writeProperties writes Dir + ".properties" and gives its path.
func writeProperties(o Options) (string, error) {
	var lines []string
	for k, v := range o.properties() {
		lines = append(lines, k+"="+v+"\n")
	}
	slices.Sort(lines)
	file := o.Dir + ".properties"
	return file, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644)
}
