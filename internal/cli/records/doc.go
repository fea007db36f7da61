// Package records holds the commands whose business is records: `ottla produce` and `ottla consume`, with their layouts and templates.
package records
