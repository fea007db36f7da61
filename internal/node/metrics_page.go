package node

import "github.com/ottla/ottla/internal/obs"

// MetricsPage is docs/operate/metrics.md, made from what a node tells.
func MetricsPage() string {
	n := &Node{}
	return metricsHead +
		"\n## /metrics\n\n" + obs.MetricsTable(n.metrics()) +
		"\n## /metrics/detail\n\nThe first 10,000 partitions by name.\n\n" + obs.MetricsTable(n.partitionMetrics()) +
		"\n## /metrics/kafka\n\nThe names that dashboards of Apache Kafka's JMX exporter ask for, as far as there is such a thing on one node.\n\n" +
		obs.MetricsTable(n.kafkaMetrics())
}

const metricsHead = `# Metrics and health

<!-- Generated from the families in internal/node: go generate ./internal/node -->

A node tells about itself over HTTP when ` + "`ottla.metrics.listener`" + ` is set, for example to ` + "`127.0.0.1:9404`" + `. Without it nothing listens. There is no
authentication: keep the address private. Metrics are in Prometheus's text format.

| Path | |
|---|---|
| ` + "`/`" + ` | these paths |
| ` + "`/metrics`" + ` | the node: few series |
| ` + "`/metrics/detail`" + ` | each partition |
| ` + "`/metrics/kafka`" + ` | by the names of Apache Kafka's JMX exporter |
| ` + "`/livez`" + ` | 200 while the process answers |
| ` + "`/readyz`, `/healthz`" + ` | 200 while clients are served and the broker is not fenced, else 503; ` + "`?verbose`" + ` lists the checks as JSON |
| ` + "`/debug/pprof/`" + ` | profiles, with ` + "`ottla.metrics.pprof.enable=true`" + ` |
`
