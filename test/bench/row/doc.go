// Package row is what each row of the scorecard does with a side: the workloads, exact. What they mean is package card's,
// and when they are run package stage's.
package row
