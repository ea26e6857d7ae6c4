// note-open: what golang.org/x/mod/sumdb/note says of notes. On each line of input a verifier key and a note, both in hex; on each
// line of output "key" (the key is refused), "malformed", "invalid", "unverified" or "ok".
package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

func verdict(key, text []byte) string {
	verifier, err := note.NewVerifier(string(key))
	if err != nil {
		return "key"
	}
	_, err = note.Open(text, note.VerifierList(verifier))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &unverified):
		return "unverified"
	case errors.As(err, &invalid):
		return "invalid"
	}
	return "malformed"
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		keyHex, noteHex, _ := strings.Cut(lines.Text(), " ")
		key, _ := hex.DecodeString(keyHex)
		text, _ := hex.DecodeString(noteHex)
		fmt.Println(verdict(key, text))
	}
}
