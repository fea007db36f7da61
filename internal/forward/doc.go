// Package forward has commands handled by the active controller, wherever it is.
//
// Layer 4. Where this node leads the quorum a command goes to its own engine, else as Kafka's request to the controller listener of the
// node that does. Who comes when nobody leads waits until somebody does.
package forward
