package command

import (
	"fmt"
	"strings"

	"github.com/ottla/ottla/internal/cli/reach"
)

// Next tells a person at the keyboard what may come next. Scripts, and who asked for quiet or for another shape, are not told.
func (a *App) Next(format string, args ...any) {
	if a.World.ErrTTY && !a.Quiet && a.Output.Value == "table" {
		fmt.Fprintf(a.Tell(), "next: "+format+"\n", args...)
	}
}

// ToReach is what must follow a command so that it asks the server at address, which wants neither TLS nor a login: nothing where the
// settings lead there already. A profile or the environment may lead to another one, which must not be hit by what is meant for this one.
func (a *App) ToReach(address string) string {
	s, err := a.Settings()
	flags := ""
	if where, bad := s.Addresses(); err != nil || bad != nil || len(where) != 1 || where[0] != address {
		flags = " -b " + address
	}
	if err == nil && !strings.EqualFold(s.Text(reach.Protocol), "PLAINTEXT") {
		flags += " -X " + reach.Protocol + "=PLAINTEXT"
	}
	return flags
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
