// Package profiles holds `ottla profile`: servers and how to reach them, under names.
package profiles
