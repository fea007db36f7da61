// Package contract is what the suite asks of every Go client: the scenario, written once, over a small interface
// that each client implements. The same scenario exists in Python, JavaScript and Java beside this folder; the
// steps, their names and the form of their results are the same, so that a table can be made of them.
//
// A client program is run as
//
//	PROGRAM BOOTSTRAP SCENARIO DIR
//
// and prints one JSON object a line: {"step":…, "result":…}, {"step":…, "error":…} or {"step":…, "skip":reason}.
// A result holds nothing that differs between two runs (no ids, addresses or times of day).
//
// DIR holds the records to send (records.jsonl) and, for scenario "read", the topics to read (read.txt).
package contract
