// Command ottla is Kafka's system in one binary: the server, and the tools for it.
package main

import (
	"context"
	"os"

	"github.com/ottla/ottla/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), cli.Stdio(), os.Args[1:]))
}
