package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// maxSecret bounds what ${file:…} may put in.
const maxSecret = 64 << 10

// expand puts in what each ${…} of s stands for. Only "${" begins one, so that
// "$argon2id$…" and "$2b$…" stay as they are; "$${" is a plain "${". What is put
// in is not looked at again.
func (l *loader) expand(s string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		if !found {
			b.WriteString(s)
			return b.String(), nil
		}
		if plain, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(plain + "${")
			s = rest
			continue
		}
		name, rest, closed := strings.Cut(rest, "}")
		if !closed {
			return "", errors.New("has a ${ without a }; close it, or write $${ for a plain ${")
		}
		text, err := l.lookUp(name)
		if err != nil {
			return "", err
		}
		b.WriteString(before + text)
		s = rest
	}
}

// lookUp is what the inside of one ${…} stands for. A variable that is set but
// empty is refused: that is what a forgotten line of a compose file leaves, and
// an empty secret would open what it should close.
func (l *loader) lookUp(name string) (string, error) {
	if path, ok := strings.CutPrefix(name, "file:"); ok {
		return secretFile(path)
	}
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name) {
		return "", fmt.Errorf("${%s} is neither ${NAME} nor ${file:PATH}; write $${ for a plain ${", name)
	}
	text, ok := l.env(name)
	switch {
	case !ok:
		return "", fmt.Errorf("the environment variable %s is not set; set it before you start portico", name)
	case text == "":
		return "", fmt.Errorf("the environment variable %s is empty; give it a value", name)
	}
	return text, nil
}

// secretFile reads what ${file:PATH} stands for, without the line's end that
// editors and echo put behind it. A file that everybody on the machine may read
// is no secret: it is refused, so that this is found out on the first day.
func secretFile(path string) (string, error) {
	data, info, err := readBounded(path, maxSecret)
	switch {
	case err != nil:
		return "", fmt.Errorf("the file of ${file:%s} cannot be read: %s", path, why(err))
	case info.Mode().Perm()&0o004 != 0:
		return "", fmt.Errorf("the file of ${file:%s} can be read by everybody on this machine; chmod 640 it (Docker, Kubernetes: mode 0440)", path)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if strings.TrimSpace(text) == "" {
		return "", fmt.Errorf("the file of ${file:%s} is empty; write the value into it", path)
	}
	return text, nil
}
