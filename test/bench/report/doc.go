// Package report keeps the runs of a benchmark as JSON and tells what they say: as tables in Markdown, and as the page
// docs/benchmarks.md, which is generated.
package report
