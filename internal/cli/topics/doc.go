// Package topics holds `ottla topic`.
package topics
