package contract

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"
)

// environment is what the suite says of the servers.
type environment struct {
	replicas int16 // COMPAT_REPLICAS: of each topic
	hurt     bool  // COMPAT_HURT: servers come and go
}

func surroundings() environment {
	e := environment{replicas: 1, hurt: os.Getenv("COMPAT_HURT") != ""}
	if n, err := strconv.ParseInt(os.Getenv("COMPAT_REPLICAS"), 10, 16); err == nil {
		e.replicas = int16(n)
	}
	return e
}

// Where servers come and go, a step whose library gave up is tried again for a while, as its user would; but for those that write,
// since what is written twice is there twice.
const (
	patience = 20 * time.Second
	pause    = 200 * time.Millisecond
)

func (e environment) try(step string, f func() (any, error)) (result any, tries int, err error) {
	for began := time.Now(); ; time.Sleep(pause) {
		result, err = f()
		tries++
		var skip Unsupported
		if err == nil || errors.As(err, &skip) || !e.hurt || strings.HasPrefix(step, "produce/") || time.Since(began) > patience {
			return result, tries, err
		}
	}
}
