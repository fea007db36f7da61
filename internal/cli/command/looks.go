package command

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// Looks says how often a command looks that watches, and how many times.
type Looks struct {
	Every time.Duration
	Most  int // 0 is no bound
}

// Watching makes a command one that looks at a server again and again until Ctrl-C, which is success.
func (a *App) Watching(cmd *cobra.Command, do func(ctx context.Context, s *Server, args []string, l Looks) error) *cobra.Command {
	every := TimeoutFlag(2 * time.Second)
	var most int
	cmd.Flags().VarP(&every, "every", "e", "how long to wait between two looks")
	cmd.Flags().IntVarP(&most, "max", "n", 0, "end after this many looks; 0 is no bound")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if most < 0 {
			return Usagef("--max must not be negative")
		}
		s, err := a.Connect(cmd.Context())
		if err != nil {
			return err
		}
		defer s.Close()
		ctx, stop := a.Interruptible(cmd.Context())
		defer stop()
		return do(ctx, s, args, Looks{Every: time.Duration(every), Most: most})
	}
	return cmd
}
