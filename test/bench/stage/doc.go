// Package stage sets up what a measurement needs and takes it: both sides with equal settings in fresh directories, a JVM
// that is warm, a full page cache, runs in the order A B B A, an account of all CPU time that was used meanwhile, and
// pairs that are done again when others were at work. What a run does is a Workload's (package row).
package stage
