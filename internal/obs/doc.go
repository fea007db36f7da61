// Package obs is what a node says about itself: today its log. A side leaf: it knows no engine.
package obs
