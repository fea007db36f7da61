//go:build !linux

package main

import (
	"context"
	"errors"
)

const (
	exitUnable = 3
	room       = 0
)

func isolated(context.Context, string) (int, error) { return exitUnable, nil }

func newNamespaces(context.Context) (network, error) {
	return nil, errors.New("there are no network namespaces on this system")
}
