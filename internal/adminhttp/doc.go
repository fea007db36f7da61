// Package adminhttp answers a node's operators over HTTP: metrics in Prometheus's text format, health, and profiles where they are asked for.
//
// Layer 6. It is off unless ottla.metrics.listener is set, and knows the node by two functions only. It changes nothing.
//
//	/                  these paths
//	/metrics           of the node, few series
//	/metrics/detail    of each partition
//	/metrics/kafka     by the names of Apache Kafka's JMX exporter, for dashboards that exist
//	/livez             the process answers
//	/readyz, /healthz  clients are served; ?verbose lists the checks
//	/debug/pprof/      with ottla.metrics.pprof.enable
package adminhttp
