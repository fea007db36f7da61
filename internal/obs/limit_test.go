package obs

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(Limit(slog.NewTextHandler(&out, nil), 2, time.Second)).With("node", 1)
		for range 10 {
			log.Error("append failed")
		}
		log.Error("another")
		if got := strings.Count(out.String(), "append failed"); got != 2 {
			t.Errorf("%d of 10 equal messages in a second, want 2", got)
		}
		if !strings.Contains(out.String(), "another node=1") {
			t.Errorf("another message is missing:\n%s", out.String())
		}
		<-time.After(2 * time.Second)
		log.Error("append failed")
		if !strings.Contains(out.String(), "left_out=8") {
			t.Errorf("nothing says that 8 were left out:\n%s", out.String())
		}
	})
}
