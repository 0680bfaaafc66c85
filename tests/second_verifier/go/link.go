// Signed objects, tokens of the kinds invite and guest, and their scope (PROTOCOL.md, section 1).
package main

import (
	"bytes"
	"errors"
	"math"

	"github.com/veraison/go-cose"
)

// Payload keys.
const (
	keyVersion  = 0
	keyIssuer   = 1
	keyAudience = 2
	keyHolder   = 3
	keyTokenID  = 4
	keyFrom     = 5
	keyExpires  = 6
	keyEpoch    = 7
	keyScope    = 8
	keyDepth    = 9
	keyTTL      = 10
	keyParent   = 11
	keyUses     = 13
)

const (
	kindInvite = "invite"
	kindGuest  = "guest"
)

const (
	maxTTL        = 315_360_000
	maxGrantDepth = 2
	maxUses       = 64
)

// A link is a token that was read and not verified yet.
type link struct {
	message  cose.UntaggedSign1Message
	token    []byte
	kind     string
	issuer   []byte
	audience []byte
	holder   []byte
	from     uint64
	expires  uint64
	epoch    uint64
	scope    scope
	depth    uint64
	ttl      uint64
	parent   []byte // nil if it has none
}

// The kind is not on the wire as such: an invite is what has uses, and the signature must hold for that kind.
func readLink(token []byte) (link, error) {
	message, err := readSigned(token)
	if err != nil {
		return link{}, err
	}
	payload, err := readStrict(message.Payload)
	if err != nil {
		return link{}, err
	}
	result := link{message: message, token: token, kind: kindGuest}
	required := []uint64{
		keyVersion, keyIssuer, keyAudience, keyHolder, keyTokenID, keyFrom, keyExpires, keyEpoch, keyScope, keyDepth, keyTTL,
	}
	if entries, ok := payload.(map[any]any); ok && entries[uint64(keyUses)] != nil {
		result.kind = kindInvite
		required = append(required, keyUses)
	}
	values, err := readFields(payload, required, []uint64{keyParent})
	if err != nil {
		return link{}, err
	}
	return result, result.fill(values)
}

func (l *link) fill(values *fields) error {
	values.uint(keyVersion, 1, 1)
	l.issuer = values.bytes(keyIssuer, 8)
	l.audience = values.bytes(keyAudience, 16)
	l.holder = values.bytes(keyHolder, 32)
	values.bytes(keyTokenID, 16)
	l.from = values.uint(keyFrom, 0, math.MaxUint32)
	l.expires = values.uint(keyExpires, 0, math.MaxUint32)
	l.epoch = values.uint(keyEpoch, 0, math.MaxUint32)
	l.depth = values.uint(keyDepth, 0, maxGrantDepth)
	l.ttl = values.uint(keyTTL, 1, maxTTL)
	if values.has(keyParent) {
		l.parent = values.bytes(keyParent, 16)
	}
	if l.kind == kindInvite {
		values.uint(keyUses, 1, maxUses)
	}
	if values.err != nil {
		return values.err
	}
	if l.expires <= l.from {
		return errors.New("it expires before it begins")
	}
	if l.kind == kindInvite && l.depth == 0 {
		return errors.New("an invite without depth")
	}
	var err error
	l.scope, err = readScope(values.entries[uint64(keyScope)])
	return err
}

// readSigned takes a COSE_Sign1 apart. go-cose reads it, too, and later verifies it; but it lets other headers and
// encodings pass.
func readSigned(token []byte) (cose.UntaggedSign1Message, error) {
	var message cose.UntaggedSign1Message
	value, err := readStrict(token)
	if err != nil {
		return message, err
	}
	parts, ok := value.([]any)
	if !ok || len(parts) != 4 {
		return message, errors.New("not a list of four")
	}
	protected, _ := parts[0].([]byte)
	unprotected, isMap := parts[1].(map[any]any)
	if !bytes.Equal(protected, []byte{0xa1, 0x01, 0x32}) || !isMap || len(unprotected) != 0 {
		return message, errors.New("other headers")
	}
	return message, message.UnmarshalCBOR(token)
}

// Operations are a sum of bits, things are numbers of services and cameras.
type scope struct {
	services   map[uint64]bool
	cameras    map[uint64]bool
	operations uint64
}

func readScope(value any) (scope, error) {
	values, err := readFields(value, []uint64{0, 1, 2}, nil)
	if err != nil {
		return scope{}, err
	}
	result := scope{
		services:   values.numbers(0),
		cameras:    values.numbers(1),
		operations: values.uint(2, 1, 1+2+4),
	}
	if len(result.services)+len(result.cameras) == 0 {
		values.fail()
	}
	return result, values.err
}

// numbers reads a list of at most 32 numbers from 1 to 65 535, ascending, each once.
func (f *fields) numbers(key uint64) map[uint64]bool {
	list, ok := f.entries[key].([]any)
	if !ok || len(list) > 32 {
		f.fail()
	}
	numbers := map[uint64]bool{}
	last := uint64(0)
	for _, entry := range list {
		number, ok := entry.(uint64)
		if !ok || number <= last || number > math.MaxUint16 {
			f.fail()
		}
		numbers[number] = true
		last = number
	}
	return numbers
}

func (s scope) isWithin(outer scope) bool {
	return isSubset(s.services, outer.services) && isSubset(s.cameras, outer.cameras) &&
		s.operations&^outer.operations == 0
}

func isSubset(inner, outer map[uint64]bool) bool {
	for number := range inner {
		if !outer[number] {
			return false
		}
	}
	return true
}
