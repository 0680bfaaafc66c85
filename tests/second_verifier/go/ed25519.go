// "Verification is one predicate" (PROTOCOL.md, section 1). crypto/ed25519 is RFC 8032 without the cofactor, but takes
// points that are not canonical, of small order or with torsion: those are looked at here.
package main

import (
	"bytes"
	"crypto/ed25519"

	"filippo.io/edwards25519"
	"github.com/veraison/go-cose"
)

// algorithmEd25519 is "Ed25519" of RFC 9864. go-cose 1.3.0 knows the older "EdDSA" (-8) only and makes no verifier for
// this one, but leaves the choice to whoever brings a verifier.
const algorithmEd25519 cose.Algorithm = -19

// A strictVerifier is a cose.Verifier of that algorithm. Its value is the public key.
type strictVerifier []byte

func (strictVerifier) Algorithm() cose.Algorithm { return algorithmEd25519 }

func (key strictVerifier) Verify(content, signature []byte) error {
	sound := len(key) == ed25519.PublicKeySize && len(signature) == ed25519.SignatureSize &&
		isSound(key) && isSound(signature[:32])
	if !sound || !ed25519.Verify(ed25519.PublicKey(key), content, signature) {
		return cose.ErrVerification
	}
	return nil
}

// isSound tells whether the bytes are the canonical encoding of a point of full order without torsion.
func isSound(encoded []byte) bool {
	point, err := new(edwards25519.Point).SetBytes(encoded)
	if err != nil || !bytes.Equal(point.Bytes(), encoded) {
		return false
	}
	identity := edwards25519.NewIdentityPoint()
	if new(edwards25519.Point).MultByCofactor(point).Equal(identity) == 1 {
		return false
	}
	return timesOrder(point).Equal(identity) == 1
}

var orderLessOne = newOrderLessOne()

// The scalar -1 is stored as the group's order less one, and ScalarMult takes it as that number.
func newOrderLessOne() *edwards25519.Scalar {
	one, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		panic(err)
	}
	return edwards25519.NewScalar().Negate(one)
}

func timesOrder(point *edwards25519.Point) *edwards25519.Point {
	product := new(edwards25519.Point).ScalarMult(orderLessOne, point)
	return product.Add(product, point)
}
