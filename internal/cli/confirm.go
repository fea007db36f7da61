package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// danger holds the flags of a command that destroys.
type danger struct {
	yes    bool
	dryRun bool
	// does says what is dangerous, "destroys data" when empty.
	does string
}

func (d *danger) flags(f *pflag.FlagSet) {
	f.BoolVarP(&d.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&d.dryRun, "dry-run", false, "show what would be done and do nothing")
}

// mayAsk refuses before anything is done when there is nobody to ask and --yes is not given.
func (a *app) mayAsk(d danger) error {
	if d.yes || d.dryRun || a.world.InTTY {
		return nil
	}
	does := d.does
	if does == "" {
		does = "destroys data"
	}
	e := Usagef("this %s, and there is no terminal to ask at", does)
	e.Hint = "--yes does it without asking, --dry-run shows what would be done"
	return e
}

// confirm shows the plan and asks whether to go on. Only "y" and "yes" do.
func (a *app) confirm(d danger, plan []string) error {
	if d.yes {
		return nil
	}
	for _, step := range plan {
		fmt.Fprintln(a.world.Err, step)
	}
	fmt.Fprint(a.world.Err, "Go on? [y/N] ")
	line, err := bufio.NewReader(a.world.In).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	if err != nil {
		fmt.Fprintln(a.world.Err)
	}
	e := Usagef("not confirmed, so nothing was done")
	e.Hint = "answer y, or give --yes"
	return e
}
