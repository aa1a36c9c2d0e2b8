package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"

	"gopkg.in/yaml.v3"
)

// maxFile bounds a config, so that a wrong path (a video, /dev/zero) is refused
// rather than read.
const maxFile = 4 << 20

// readBounded reads a regular file of at most limit bytes. A pipe or a device
// is refused before it is opened, since opening a pipe waits for a writer.
func readBounded(name string, limit int64) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errNotRegular
	}
	f, err := os.Open(name) //nolint:gosec // G304: the admin names the file
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooLong
	}
	return data, info, err
}

var (
	errNotRegular = errors.New("not a regular file")
	errTooLong    = errors.New("too long")
)

// why is the reason of a file's error in words, without the path, which the
// caller has said already.
func why(err error) string {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "this process may not read it"
	case errors.As(err, &pathErr):
		return pathErr.Err.Error()
	}
	return "it is " + err.Error()
}

// digest names a content; see Config.Digest.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// document parses the file into the root of its only YAML document, or reports
// why there is none.
func (l *loader) document(data []byte) (value, bool) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // Notepad's byte order mark
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		l.add(1, "the file is empty; begin with a copy of example.yaml")
		return value{}, false
	case err != nil:
		l.syntax(data, err)
		return value{}, false
	}
	l.secondDocument(dec, data)
	root := value{l: l, n: doc.Content[0]}
	l.refuseAnchors(root.n)
	if root.n.Kind != yaml.MappingNode {
		root.fault("expected sections such as server:, storage: and workspaces:, found %s; begin with a copy of example.yaml", describe(root.n))
		return value{}, false
	}
	return root, true
}

// secondDocument refuses what follows a second "---": the decoder would drop it
// in silence, rules and all.
func (l *loader) secondDocument(dec *yaml.Decoder, data []byte) {
	var more yaml.Node
	switch err := dec.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		l.syntax(data, err)
	default:
		l.add(more.Line, "a second YAML document begins here (---), which would be ignored; join the two or remove one")
	}
}

// refuseAnchors reports &name and *name and takes them out of the tree. They
// are not taken, because a rule must stand where it can be read, and because a
// few of them nested in one another expand to gigabytes.
func (l *loader) refuseAnchors(n *yaml.Node) {
	if n.Anchor != "" {
		l.add(n.Line, "anchors (&%s) are not taken; write the value out where it is used", n.Anchor)
	}
	if n.Kind == yaml.AliasNode {
		l.add(n.Line, "aliases (*%s) are not taken; write the value out", n.Value)
		*n = yaml.Node{Kind: ruinedKind, Line: n.Line, Column: n.Column}
		return
	}
	for _, child := range n.Content {
		l.refuseAnchors(child)
	}
}

// ruinedKind marks a node whose fault was reported already; no reader says
// more about it.
const ruinedKind yaml.Kind = 0
