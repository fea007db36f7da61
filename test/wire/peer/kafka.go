package peer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The server's version; kafka-tools-api is not published at it.
const (
	kafkaVersion    = "4.4.0"
	toolsAPIVersion = "4.3.1"
)

// pom lists what Maven shall fetch.
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%s</version>
<exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId><version>%s</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
</dependencies></project>`

// kafkaJars returns the directory of the server's jars, fetched once.
func kafkaJars(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "apache-kafka", "server-"+kafkaVersion)
	if _, err := os.Stat(filepath.Join(dir, "kafka_2.13-"+kafkaVersion+".jar")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), fmt.Appendf(nil, pom, kafkaVersion, toolsAPIVersion), 0o644); err != nil {
		return "", err
	}
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=.")
	mvn.Dir = dir
	if out, err := mvn.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch Apache Kafka: %w: %s", err, out)
	}
	return dir, nil
}

func kafkaCommands(ctx context.Context, config string) (format, start *exec.Cmd, err error) {
	jars, err := kafkaJars(ctx)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(jars, "*")
	format = exec.CommandContext(ctx, "java", "-XX:TieredStopAtLevel=1", "-cp", path, "kafka.tools.StorageTool", "format", "-t", ClusterID, "-c", config)
	start = exec.Command("java", "-Xms512m", "-Xmx512m", "-XX:+UseG1GC", "-cp", path, "kafka.Kafka", config)
	return format, start, nil
}
