// "Chains" (PROTOCOL.md, section 1).
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
)

const (
	maxLinks      = 3
	maxChainBytes = 1024
)

// A root may issue a first link: an owner, or the device itself.
type root struct {
	key   []byte
	epoch uint64
}

// A device is what a verifier knows.
type device struct {
	audience []byte
	roots    []root
}

// verify tells which rule the chain breaks, or nil.
func (d device) verify(chain [][]byte) error {
	links, err := readChain(chain)
	if err != nil {
		return err
	}
	if err := checkKinds(links); err != nil {
		return err
	}
	issuer, err := d.rootOf(links[0])
	if err != nil {
		return err
	}
	key := issuer.key
	for i, link := range links {
		if err := link.checkSigned(key); err != nil {
			return err
		}
		if !bytes.Equal(link.audience, d.audience) {
			return errors.New("another audience")
		}
		if i > 0 {
			if err := link.checkBelow(links[i-1]); err != nil {
				return err
			}
		}
		key = link.holder
	}
	if links[0].epoch != issuer.epoch {
		return errors.New("not the root's epoch")
	}
	return nil
}

func readChain(chain [][]byte) ([]link, error) {
	if len(chain) < 1 || len(chain) > maxLinks {
		return nil, errors.New("not 1 to 3 links")
	}
	size := 0
	for _, token := range chain {
		size += len(token)
	}
	if size > maxChainBytes {
		return nil, errors.New("too long")
	}
	var links []link
	for _, token := range chain {
		link, err := readLink(token)
		if err != nil {
			return nil, fmt.Errorf("unreadable: %w", err)
		}
		links = append(links, link)
	}
	return links, nil
}

// checkKinds asks for g, ig, gg, igg, gig or ggg, and for a parent in all links but the first.
func checkKinds(links []link) error {
	for i, link := range links {
		isLast := i == len(links)-1
		if link.kind == kindInvite && (isLast || links[i+1].kind != kindGuest) {
			return errors.New("order of kinds")
		}
		if (link.parent != nil) != (i > 0) {
			return errors.New("parent out of place")
		}
	}
	return nil
}

func (d device) rootOf(first link) (root, error) {
	for _, root := range d.roots {
		if bytes.Equal(keyID(root.key), first.issuer) {
			return root, nil
		}
	}
	return root{}, errors.New("no root")
}

func (l link) checkSigned(key []byte) error {
	if !bytes.Equal(l.issuer, keyID(key)) {
		return errors.New("another issuer")
	}
	if err := l.message.Verify([]byte("porthole/cap/v1/"+l.kind), strictVerifier(key)); err != nil {
		return errors.New("signature")
	}
	return nil
}

func (l link) checkBelow(parent link) error {
	hash := sha256.Sum256(parent.token)
	switch {
	case !bytes.Equal(l.parent, hash[:16]):
		return errors.New("another parent")
	case !l.scope.isWithin(parent.scope):
		return errors.New("scope widens")
	case l.expires > parent.expires:
		return errors.New("expires later")
	case l.ttl > parent.ttl:
		return errors.New("ttl grows")
	case l.from < parent.from:
		return errors.New("begins earlier")
	case l.depth >= parent.depth:
		return errors.New("depth does not shrink")
	case l.epoch != parent.epoch:
		return errors.New("another epoch")
	}
	return nil
}

func keyID(key []byte) []byte {
	hash := sha256.Sum256(append([]byte("porthole/kid/v1"), key...))
	return hash[:8]
}
