// Package side runs the servers that a benchmark compares: this checkout of Ottla, another revision of it, Apache Kafka,
// and the small programs of package bare that show what the machine allows. Each is a process of its own, in a control
// group of its own where the machine allows that, tied to the CPUs that the row says.
//
// A side does not outlive the benchmark: the kernel ends it when the thread that started it ends.
package side
