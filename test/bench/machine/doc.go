// Package machine is what a measurement must know of, and do to, the machine that it runs on: the kernel's account of CPU
// time and memory, which CPUs a process may use, control groups, and the page cache. Linux alone; nothing here decides
// what a figure means (package judge does).
package machine
