package main

import (
	"errors"

	"github.com/ottla/ottla/test/compat/clients/golang/contract"
)

func join(string, contract.Member, *contract.Says, <-chan struct{}) error {
	return errors.New("not there yet")
}
