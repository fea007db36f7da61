// Command ottla is Kafka's system in one binary: the server, and the tools for it.
package main

import (
	"context"
	"os"
	"time"

	"github.com/ottla/ottla/internal/cli"
	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/kafkatools"
	"github.com/ottla/ottla/internal/launch"
)

func main() {
	began := time.Now()
	if exit, ran := kafkatools.Dispatch(context.Background(), world, os.Args, launch.Tools(began)...); ran {
		os.Exit(exit)
	}
	w := command.Stdio()
	os.Exit(cli.Run(context.Background(), w, os.Args[1:], launch.Commands(w, began)...))
}

func world() *kafkatools.World { return kafkatools.Stdio(os.Getenv) }
