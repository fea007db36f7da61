// Package testkit gives tests a whole node in their own process: formatted and started in milliseconds on files in
// memory and a free port of the loopback, spoken to over TCP as any client would.
//
// Test only: no package but tests may import it (internal/arch checks that).
//
// Invariants:
//
//   - A node that was started is stopped when its test ends, and an error of that stop fails the test.
//   - Nothing waits without a deadline: a node that does not answer fails the test with the request's name.
//
// It knows no protocol beyond frames and kmsg: what an answer should be is the test's business.
package testkit
