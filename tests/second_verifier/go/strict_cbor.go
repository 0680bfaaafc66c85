// "CBOR of signed objects" (PROTOCOL.md, section 1).
package main

import (
	"bytes"
	"errors"

	"github.com/fxamacker/cbor/v2"
)

const (
	maxDepth   = 6
	maxEntries = 64
)

var (
	decoder = newDecoder()
	encoder = newEncoder()
)

func newDecoder() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: maxEntries,
		MaxMapPairs:      maxEntries,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}

func newEncoder() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode() // RFC 8949 4.2.1
	if err != nil {
		panic(err)
	}
	return mode
}

// readStrict reads one value that fills the data and that encodes to the data again.
func readStrict(data []byte) (any, error) {
	var value any
	if err := decoder.Unmarshal(data, &value); err != nil {
		return nil, err
	}
	if !isPlain(value) {
		return nil, errors.New("a type that signed objects do not have")
	}
	again, err := encoder.Marshal(value)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, errors.New("not the deterministic encoding")
	}
	return value, nil
}

// isPlain is false for null, undefined, floats, simple values, bignums, and maps with another key than an unsigned
// integer.
func isPlain(value any) bool {
	switch value := value.(type) {
	case bool, uint64, int64, string, []byte:
		return true
	case []any:
		for _, entry := range value {
			if !isPlain(entry) {
				return false
			}
		}
		return true
	case map[any]any:
		for key, entry := range value {
			if _, ok := key.(uint64); !ok || !isPlain(entry) {
				return false
			}
		}
		return true
	}
	return false
}

// A fields value hands out the entries of a map. What does not fit is remembered in err; the first one counts.
type fields struct {
	entries map[any]any
	err     error
}

// readFields reads a value as a map of these keys and no others. Those of `optional` may be missing.
func readFields(value any, required, optional []uint64) (*fields, error) {
	entries, ok := value.(map[any]any)
	if !ok {
		return nil, errors.New("not a map")
	}
	known := len(required)
	for _, key := range required {
		if _, ok := entries[key]; !ok {
			return nil, errors.New("a key is missing")
		}
	}
	for _, key := range optional {
		if _, ok := entries[key]; ok {
			known++
		}
	}
	if len(entries) != known {
		return nil, errors.New("an unknown key")
	}
	return &fields{entries: entries}, nil
}

func (f *fields) has(key uint64) bool {
	_, ok := f.entries[key]
	return ok
}

func (f *fields) uint(key, least, most uint64) uint64 {
	value, ok := f.entries[key].(uint64)
	if !ok || value < least || value > most {
		f.fail()
	}
	return value
}

func (f *fields) bytes(key uint64, length int) []byte {
	value, ok := f.entries[key].([]byte)
	if !ok || len(value) != length {
		f.fail()
	}
	return value
}

func (f *fields) fail() {
	if f.err == nil {
		f.err = errors.New("a value of another type, length or range")
	}
}
