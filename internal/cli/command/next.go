package command

import (
	"fmt"
	"strings"
)

// Next tells a person at the keyboard what may come next. Scripts, and who asked for quiet or for another shape, are not told.
func (a *App) Next(format string, args ...any) {
	if a.World.ErrTTY && !a.Quiet && a.Output.Value == "table" {
		fmt.Fprintf(a.Tell(), "next: "+format+"\n", args...)
	}
}

// Again is what must follow a command so that it asks the same server: the flags that said so here.
func (a *App) Again() string {
	var b strings.Builder
	if len(a.servers) > 0 {
		b.WriteString(" -b " + strings.Join(a.servers, ","))
	}
	if a.profile != "" {
		b.WriteString(" --profile " + a.profile)
	}
	return b.String()
}
