package compress

// Compress appends src, compressed, to dst. Level is the codec's (gzip 1-9, lz4 1-17, zstd -131072-22) or DefaultLevel; snappy has none.
func Compress(dst, src []byte, c Codec, level int) ([]byte, error) { panic("soon") }

// Decompress appends src, decompressed, to dst, and fails with ErrTooLarge once that would be more than limit bytes.
func Decompress(dst, src []byte, c Codec, limit int) ([]byte, error) { panic("soon") }

// Reader decompresses piece by piece. Readers are pooled: Close gives one back.
type Reader struct{}

// NewReader returns a reader over src, which must stay unchanged until Close. Reads past limit bytes fail with ErrTooLarge.
func NewReader(src []byte, c Codec, limit int) (*Reader, error) { panic("soon") }

// Read is io.Reader's. Errors other than io.EOF wrap ErrCorrupt or ErrTooLarge.
func (r *Reader) Read(p []byte) (int, error) { panic("soon") }

// Close gives the reader back to its pool; it must not be used again.
func (r *Reader) Close() { panic("soon") }
