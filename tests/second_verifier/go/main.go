// A second implementation of the chains of PROTOCOL.md, section 1, to hold against src/trust: its rules are
// those of that document, with go-cose for COSE_Sign1 and fxamacker/cbor for CBOR. It reads vectors from stdin, in the form of
// tests/vectors/chains.json, and writes one verdict for each case to stdout: "" for a chain that holds, else the rule
// that it breaks.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
)

// What the device knows that verifies. Byte strings are base64url.
type verifierJSON struct {
	Audience string `json:"audience"`
	Roots    []struct {
		Key   string `json:"key"`
		Epoch uint64 `json:"epoch"`
	} `json:"roots"`
}

type vectorsJSON struct {
	Verifiers map[string]verifierJSON `json:"verifiers"`
	Cases     []struct {
		Verifier string   `json:"verifier"`
		Chain    []string `json:"chain"`
	} `json:"cases"`
}

func main() {
	var vectors vectorsJSON
	if err := json.NewDecoder(os.Stdin).Decode(&vectors); err != nil {
		stop(fmt.Errorf("cannot read vectors: %w", err))
	}
	verdicts := make([]string, len(vectors.Cases))
	for i, one := range vectors.Cases {
		device, err := readDevice(vectors.Verifiers[one.Verifier])
		if err != nil {
			stop(fmt.Errorf("cannot read verifier %q: %w", one.Verifier, err))
		}
		chain, err := readAll(one.Chain)
		if err != nil {
			stop(fmt.Errorf("cannot read case %d: %w", i, err))
		}
		if err := device.verify(chain); err != nil {
			verdicts[i] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		stop(fmt.Errorf("cannot write verdicts: %w", err))
	}
}

func readDevice(given verifierJSON) (device, error) {
	audience, err := base64.RawURLEncoding.DecodeString(given.Audience)
	if err != nil {
		return device{}, err
	}
	result := device{audience: audience}
	for _, one := range given.Roots {
		key, err := base64.RawURLEncoding.DecodeString(one.Key)
		if err != nil {
			return device{}, err
		}
		result.roots = append(result.roots, root{key: key, epoch: one.Epoch})
	}
	return result, nil
}

func readAll(texts []string) ([][]byte, error) {
	var all [][]byte
	for _, text := range texts {
		bytes, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func stop(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
