package controller

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// refusal is what a client is told that did something wrong: an error code and, or not, a message.
type refusal struct {
	code    *kerr.Error
	message *string
}

// refuse says why in Kafka's words.
func refuse(code *kerr.Error, format string, args ...any) *refusal {
	message := fmt.Sprintf(format, args...)
	return &refusal{code: code, message: &message}
}

// refuseBare gives the code alone.
func refuseBare(code *kerr.Error) *refusal { return &refusal{code: code} }

// refuseGeneric gives the code with its own description.
func refuseGeneric(code *kerr.Error) *refusal {
	return &refusal{code: code, message: &code.Description}
}

// Explained is an error with a message for the client that is not to be decorated with the code's name.
type Explained interface {
	error
	// ClientMessage is what the client reads.
	ClientMessage() string
}

// refuseErr turns an error of an injected function into what the client is told.
func refuseErr(err error) *refusal {
	code := kerr.UnknownServerError
	errors.As(err, &code)
	message := err.Error()
	var explained Explained
	if errors.As(err, &explained) {
		message = explained.ClientMessage()
	}
	return &refusal{code: code, message: &message}
}

// split returns what goes into a response; a nil refusal is success.
func (r *refusal) split() (code int16, message *string) {
	if r == nil {
		return 0, nil
	}
	return r.code.Code, r.message
}
