package schema

import (
	"encoding/binary"
	"fmt"
)

// ParseTransactionKey reads the key of a record of __transaction_state. Errors are those of ReadFrom, and ErrUnknownRecord for a type of
// a newer release: a reader may pass over it (KIP-915).
func ParseTransactionKey(b []byte) (*TransactionLogKey, error) {
	if len(b) >= 2 && binary.BigEndian.Uint16(b) != 0 {
		return nil, fmt.Errorf("transaction record type %d: %w", binary.BigEndian.Uint16(b), ErrUnknownRecord)
	}
	key := new(TransactionLogKey)
	_, err := readVersioned(key, b)
	return key, err
}

// ParseTransactionValue reads the value of a record of __transaction_state. Errors are those of ReadFrom.
func ParseTransactionValue(b []byte) (value *TransactionLogValue, version int16, err error) {
	value = new(TransactionLogValue)
	version, err = readVersioned(value, b)
	return value, version, err
}

// readVersioned reads a body that its version comes before.
func readVersioned(to Record, b []byte) (version int16, err error) {
	if len(b) < 2 {
		return 0, ErrShort
	}
	version = int16(binary.BigEndian.Uint16(b))
	return version, to.ReadFrom(b[2:], version)
}
