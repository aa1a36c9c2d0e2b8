package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// syntax reports that the file is no YAML.
func (l *loader) syntax(data []byte, err error) {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(reason); m != nil {
		line, _ = strconv.Atoi(m[1])
		reason = reason[len(m[0]):]
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	if found, ok := firstBroken(lines); ok {
		line = found
	}
	text := ""
	if line <= len(lines) {
		text = string(lines[line-1])
	}
	l.add(line, "this is not YAML (%s); %s", reason, syntaxMend(text))
}

// maxTries bounds the work of firstBroken on a long file.
const maxTries = 500

// firstBroken finds the line at which the file stops being YAML: the one after
// the longest beginning that can be parsed. The parser's own line is that of
// the mapping around the fault, or of where an open quote ran into the end of
// the file, and is counted from 0 for some faults and from 1 for others.
func firstBroken(lines [][]byte) (line int, ok bool) {
	for n := len(lines) - 1; n >= 0 && len(lines)-n <= maxTries; n-- {
		if parses(bytes.Join(lines[:n], nil)) {
			return n + 1, true
		}
	}
	return 0, false
}

// parses tells whether all documents in data are YAML.
func parses(data []byte) bool {
	var n yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		if err := dec.Decode(&n); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// syntaxMend guesses from the line what its writer should look at.
func syntaxMend(line string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "indent with spaces, not with tabs"
	case strings.Contains(line, "{") && strings.Contains(line, "${"):
		return `inside { } and [ ] put quotes round it: "${NAME}"`
	}
	return "look at the indentation, the quotes and the brackets from here on"
}
