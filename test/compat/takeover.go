package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
	"github.com/ottla/ottla/test/compat/peer"
)

// takeoverName stands for this part in the table.
const takeoverName = "takeover"

// takeover stops the server, lets Apache's tools read its metadata log, and starts Apache Kafka (or Ottla, with
// -then ottla) on its directory: every record must be there. With Kafka after Kafka it proves the test.
func (s *suite) takeover(ctx context.Context) error {
	stop, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s.verdict("stop", s.servers.Stop(stop))
	if err := clients.InstallTools(ctx, s.install); err != nil {
		return err
	}
	s.verdict("dump-log", s.dumpMetadata(ctx))
	s.verdict("metadata-shell", s.metadataShell(ctx))
	if !s.o.matrix {
		return nil
	}
	if err := clients.InstallJava(ctx, s.install); err != nil {
		return err
	}
	next, err := s.servers.Takeover(ctx, s.o.then)
	if err == nil {
		s.servers = next // those that the suite ends
		err = s.settle(ctx)
	}
	s.verdict("start", err)
	if err != nil {
		return nil
	}
	wrote, _ := s.matrixTopics()
	java := clients.All[slices.IndexFunc(clients.All, func(c clients.Client) bool { return c.Name == "java" })]
	steps, err := s.runClient(ctx, java, "read")
	s.verdict("read", err)
	for _, v := range s.judgeReads(java, steps, wrote) {
		v.client = takeoverName
		s.verdicts = append(s.verdicts, v)
	}
	return nil
}

func (s *suite) verdict(step string, err error) {
	v := verdict{client: takeoverName, step: step}
	if err != nil {
		v.state, v.detail = failed, err.Error()
	}
	s.verdicts = append(s.verdicts, v)
}

func (s *suite) tool(ctx context.Context, class string, args ...string) (string, error) {
	return s.toolOn(ctx, s.install.ToolJars, class, args...)
}

func (s *suite) toolOn(ctx context.Context, classPath, class string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	argv := append([]string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=OFF", "-cp", classPath, class}, args...)
	out, err := exec.CommandContext(ctx, "java", argv...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%.500s", class, err, out)
	}
	return string(out), nil
}

// metadataFile gives the newest file of the metadata log with a suffix.
func (s *suite) metadataFile(suffix string) (string, error) {
	files, err := filepath.Glob(filepath.Join(s.servers.Node(0).Dir(), "__cluster_metadata-0", "*"+suffix))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no %s file in __cluster_metadata-0: %w", suffix, os.ErrNotExist)
	}
	slices.Sort(files)
	return files[len(files)-1], nil
}

// dumpMetadata wants a TopicRecord for each topic that is left, and no record that the decoder does not know.
func (s *suite) dumpMetadata(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(s.servers.Node(0).Dir(), "__cluster_metadata-0", "*.log"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no segment in __cluster_metadata-0: %w", os.ErrNotExist)
	}
	out, err := s.tool(ctx, "org.apache.kafka.tools.DumpLogSegments", "--cluster-metadata-decoder", "--files", strings.Join(files, ","))
	if err != nil {
		return err
	}
	if bad := strings.Index(out, "isvalid: false"); bad >= 0 {
		return fmt.Errorf("a batch is not valid: %.300s", out[max(0, bad-200):])
	}
	_, topics := s.matrixTopics()
	for _, t := range topics {
		if !strings.Contains(out, `"type":"TOPIC_RECORD","version":0,"data":{"name":"`+t+`"`) {
			return fmt.Errorf("no TOPIC_RECORD of %s in\n%.800s", t, out)
		}
	}
	return nil
}

// metadataShell wants the topics in the tree that Apache's shell makes of the log. The shell is 4.3.1 and runs on the
// server's own 4.4.0 classes, for it would not know the metadata version otherwise. It answers as soon as it has
// read the file, which may be before it has built the tree: ask again.
func (s *suite) metadataShell(ctx context.Context) error {
	file, err := s.metadataFile(".log")
	if err != nil {
		return err
	}
	serverJars, err := peer.ServerJars(ctx)
	if err != nil {
		return err
	}
	_, topics := s.matrixTopics()
	var out string
	for range 5 {
		out, err = s.toolOn(ctx, serverJars+":"+s.install.ToolJars, "org.apache.kafka.shell.MetadataShell",
			"--snapshot", file, "ls", "/image/topics/byName")
		if err != nil {
			return err
		}
		have := strings.Fields(out)
		missing := slices.DeleteFunc(slices.Clone(topics), func(t string) bool { return slices.Contains(have, t) })
		if len(missing) == 0 {
			return nil
		}
	}
	return fmt.Errorf("topics are missing in the shell's tree: %.500q", out)
}
