// Package obs is what a node says about itself: its log, the levels of its loggers, and its metrics. A side leaf: it knows no engine.
package obs
