// Command groups runs consumers that others wrote in groups, hurts them, and checks by ids in the records that nothing
// was skipped, and nothing read again but where at-least-once allows it.
//
//	go run ./test/compat/groups -peer ottla                         every client, every mode that it has
//	go run ./test/compat/groups -peer kafka -clients java,franz     the same against Apache Kafka 4.4.0
//	go run ./test/compat/groups -modes cooperative,consumer
//	go run ./test/compat/groups -nodes 3                            three nodes each, which are killed in turn
//
// A member is a process, started as `PROGRAM BOOTSTRAP member DIR` (the programs are those of package clients). Its first
// line on standard input is a JSON object (type member of this package says what is in it). It prints one JSON object a
// line:
//
//	{"assigned":[0,1]}  {"revoked":[0]}   what it owns from now on, and no longer; a lost partition is revoked
//	{"read":[[0,17,"0:17"],…]}            partition, offset and value of records, in the order in which it got them
//	{"committed":{"0":18}}                a commit that was acknowledged: the next offset of each partition
//	{"left":true}                         it left the group and ends
//	{"error":"…"}                         what it could not get over
//
// The word `leave` on standard input lets it leave; the end of standard input ends it at once. A member that can't tell
// what it owns (kcat, the console consumer) prints reads alone, and is judged by them.
//
// What is checked, for every partition, over all members in the order in which their lines came:
//   - a read is never beyond the next offset that nobody has read yet: nothing was skipped;
//   - a read is never below an offset that was committed before: nothing was read again after a commit;
//   - a partition is assigned to a member only when no other one has it, and a read is by the member that has it;
//   - at the end every acknowledged record has been read.
package main
