// Package config is the one table of configuration keys: broker, topic, group and client-metrics keys of
// Apache Kafka 4.4, and Ottla's own (ottla.*), each with type, default, bounds, scope and description.
//
// Layer 6, a leaf beside the layers: importable from L3 up, never from the codecs and cores. It imports the
// vocabulary only.
//
// Everything that speaks of configuration comes from the table: reading server.properties (ParseProperties,
// Load), the typed views (Node, Topic), DescribeConfigs and its sources (Sources), validation of altered
// configurations in Kafka's words (ValidateTopic and its siblings), and the reference page
// docs/operate/configuration.md.
//
// Invariants:
//   - A key is in the table once per resource; a default passes its own validator.
//   - Nothing here reads the environment, flags, clock or network: files come in as bytes, results are values.
//   - A key that the table doesn't know is kept and echoed, except under ottla., where it is an error.
//
// It does not store dynamic configurations (the metadata image does), does not combine the operations of
// IncrementalAlterConfigs (the controller does) and does not apply values (their owners do).
package config
