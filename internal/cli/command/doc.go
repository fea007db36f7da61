// Package command is what every command of the tree stands on: the world it sees, its connection to a server, the shape of its output, errors with exit
// codes and hints, questions before danger, progress, and the completion of words.
package command
