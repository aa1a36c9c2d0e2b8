package audit

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"portico/store"
)

// Checkpoint is a signed head of a stream. Kept where who can write the store
// cannot write, it is the one thing that tells of a tail that was cut, or of a
// log that was written anew.
type Checkpoint struct {
	Stream    string    `json:"checkpoint"`
	Seq       int64     `json:"seq"`
	Head      string    `json:"head"` // hex
	Time      time.Time `json:"ts"`
	Key       string    `json:"key"` // Keys.ID
	Signature string    `json:"signature"`
}

var errSignature = errors.New("the signature is not right")

// checkpoint signs a head.
func (k *Keys) checkpoint(head store.AuditStream, now time.Time) Checkpoint {
	c := Checkpoint{
		Stream: head.Name, Seq: head.Last, Head: hex.EncodeToString(head.Head),
		Time: now.UTC().Truncate(time.Microsecond), Key: k.ID(),
	}
	c.Signature = base64.StdEncoding.EncodeToString(k.signature(c.text()))
	return c
}

func (c Checkpoint) text() string { return signable("checkpoint", c.Stream, c.Seq, c.Head, c.Time) }

// signable is a text that no other place of a stream has.
func signable(kind, stream string, seq int64, hash string, at time.Time) string {
	return fmt.Sprintf("portico audit %s v1\n%q\n%d\n%s\n%d\n", kind, stream, seq, hash, at.UnixMicro())
}

// parseCheckpoint reads a line, and checks its signature.
func (k *Keys) parseCheckpoint(line []byte) (Checkpoint, error) {
	var c Checkpoint
	if err := json.Unmarshal(line, &c); err != nil {
		return c, fmt.Errorf("this is not a checkpoint: %w", err)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(c.Signature)
	switch {
	case c.Key != k.ID():
		return c, fmt.Errorf("it is signed with the key %q, and this is the key %s", c.Key, k.ID())
	case err != nil || !k.signed(c.text(), signature):
		return c, errSignature
	}
	return c, nil
}

// cut signs the end of what is removed.
func (k *Keys) cut(last store.AuditRow, now time.Time) store.AuditCut {
	c := store.AuditCut{Stream: last.Stream, Seq: last.Seq, Hash: last.Hash, Time: now.UTC().Truncate(time.Microsecond)}
	c.Signature = k.signature(cutText(c))
	return c
}

func cutText(c store.AuditCut) string {
	return signable("cut", c.Stream, c.Seq, hex.EncodeToString(c.Hash), c.Time)
}
