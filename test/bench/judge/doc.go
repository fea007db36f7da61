// Package judge decides what runs mean: which are disturbed, what pairs say, whether a goal is met, whether the client was
// the limit, and whether the peer behaves as it did on the reference machine. Pure: figures in, verdicts out.
package judge
