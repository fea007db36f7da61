// Package settings holds `ottla config`, and `ottla topic config`: the settings of topics, brokers, groups, client metrics and loggers.
package settings
