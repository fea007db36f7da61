package main

// clients are the invocations of the tools that move records, look after groups, and read files.
var clients = []invocation{}
