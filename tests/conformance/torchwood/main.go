// torchwood-verify POLICY LEAF PROOF: does a stock verifier accept this receipt?
//
// POLICY is a tlog-policy file, LEAF the RFC 6962 leaf hash in hex, PROOF a tlog-proof file. Prints "ok" and exits 0, or says
// why not and exits 1. Nothing here knows custody: it is the stock verifier, and what a command line needs around it.
package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func verify(policyFile, leafHex, proofFile string) error {
	text, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	policy, err := torchwood.ParsePolicy(text)
	if err != nil {
		return err
	}
	var leaf tlog.Hash
	if n, err := hex.Decode(leaf[:], []byte(leafHex)); err != nil || n != len(leaf) {
		return fmt.Errorf("the leaf hash is not 64 hex digits")
	}
	proof, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	return torchwood.VerifyProof(policy, leaf, proof)
}

func main() {
	if len(os.Args) != 4 || len(os.Args[2]) != 64 {
		fmt.Fprintln(os.Stderr, "usage: torchwood-verify POLICY LEAF PROOF")
		os.Exit(2)
	}
	if err := verify(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}
