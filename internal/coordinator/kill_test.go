package coordinator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/vfs"
)

// Whatever the operation of the file system is at which the process dies, a note that was acknowledged is there afterwards,
// and one that was refused is there whole or not at all.
func TestKilledAtEveryOperation(t *testing.T) {
	for nth := 1; ; nth++ {
		disk := vfs.NewMem()
		fs := vfs.NewFaulty(disk, nil)
		dead := false
		bubbleOn(t, fs, alone, func(w *world) {
			operations := 0
			fs.SetHook(func(o vfs.Op) error {
				if o.Changes() {
					operations++
				}
				if dead = dead || operations >= nth; dead {
					return errors.New("the process is dead")
				}
				return nil
			})
			acknowledged := ""
			for i := range 10 {
				a := w.submit(add{{fmt.Sprint("a", i), "1"}, {fmt.Sprint("b", i), "1"}})
				w.pass(2 * pause)
				a.mu.Lock()
				if a.answer == fmt.Sprint(2*i+2) {
					acknowledged += fmt.Sprintf("%d:a%d=1 %d:b%d=1 ", 2*i, i, 2*i+1, i)
				}
				a.mu.Unlock()
			}
			w.r.Stop()
			w.fs = disk
			w.reopen()
			after := w.submit(list{})
			w.pass(pause)
			after.mu.Lock()
			defer after.mu.Unlock()
			if !strings.HasPrefix(after.answer+" ", acknowledged) {
				t.Errorf("killed at operation %d: acknowledged were %q, there are %q", nth, acknowledged, after.answer)
			}
			if n := strings.Count(after.answer, ":"); n%2 != 0 {
				t.Errorf("killed at operation %d: %q has half a turn", nth, after.answer)
			}
		})
		if !dead {
			if nth < 10 {
				t.Errorf("only %d operations were tried", nth)
			}
			return
		}
	}
}
