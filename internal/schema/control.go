package schema

// ControlVersion is the version in which Kafka writes and reads the bodies of all control records of the metadata
// log: their batches do not say which it is. The Version field of the records is 0 too.
const ControlVersion int16 = 0
