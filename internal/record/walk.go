package record

// Record is one record as a Walker sees it. Key, Value and RawHeaders lie in the walker's memory and are good until its next step.
type Record struct {
	Offset      int64  // delta from the batch's base offset
	Timestamp   int64  // ms since 1970; the batch's max timestamp under LogAppendTime
	Key, Value  []byte // nil is null
	Size        int    // in bytes, length prefix included
	HeaderCount int
	RawHeaders  []byte // walk them with Headers
}

// Walker visits the records of a batch in order, decompressing on the way. It allocates nothing per record:
//
//	var w record.Walker
//	defer w.Close()
//	w.Reset(batch, limit)
//	for w.Next() { use(w.Record) }
//	if err := w.Err(); err != nil { … }
type Walker struct {
	// Record is the current one after Next returned true.
	Record Record
	err    error
}

// Reset starts at the first record of b, whose records decompress to limit bytes at most.
func (w *Walker) Reset(b Batch, limit int) { panic("soon") }

// Next moves to the next record and reports whether there is one.
func (w *Walker) Next() bool { panic("soon") }

// Err returns what ended the walk early; it wraps ErrCorrupt (also where the count or the size do not fit the records), compress.ErrTooLarge or compress.ErrUnknownCodec.
func (w *Walker) Err() error { return w.err }

// Close gives pooled memory back. The walker can be Reset again.
func (w *Walker) Close() { panic("soon") }
