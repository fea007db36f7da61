package command

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// Danger holds the flags of a command that destroys.
type Danger struct {
	Yes    bool
	DryRun bool
	// Does says what is dangerous, "destroys data" when empty.
	Does string
}

// Flags adds --yes and --dry-run.
func (d *Danger) Flags(f *pflag.FlagSet) {
	f.BoolVarP(&d.Yes, "yes", "y", false, "do not ask")
	f.BoolVar(&d.DryRun, "dry-run", false, "show what would be done and do nothing")
}

// MayAsk refuses before anything is done when there is nobody to ask and --yes is not given.
func (a *App) MayAsk(d Danger) error {
	if d.Yes || d.DryRun || a.World.InTTY {
		return nil
	}
	does := d.Does
	if does == "" {
		does = "destroys data"
	}
	e := Usagef("this %s, and there is no terminal to ask at", does)
	e.Hint = "--yes does it without asking, --dry-run shows what would be done"
	return e
}

// Confirm shows the plan and asks whether to go on. Only "y" and "yes" do.
func (a *App) Confirm(d Danger, plan []string) error {
	if d.Yes {
		return nil
	}
	for _, step := range plan {
		fmt.Fprintln(a.Tell(), step)
	}
	fmt.Fprint(a.Tell(), "Go on? [y/N] ")
	line, err := bufio.NewReader(a.World.In).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	if err != nil {
		fmt.Fprintln(a.Tell())
	}
	e := Usagef("not confirmed, so nothing was done")
	e.Hint = "answer y, or give --yes"
	return e
}

// Planned reports a dry run: what would have been done, on standard output.
func (a *App) Planned(lines []string, f *Failures) error {
	if a.Output.Value == "json" || a.Output.Value == "jsonl" {
		if err := a.Object("Plan", plan{OrNone(lines)}); err != nil {
			return err
		}
		return f.Or()
	}
	for _, l := range lines {
		fmt.Fprintln(a.Out, "would "+l)
	}
	return f.Or()
}
