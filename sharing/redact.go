package sharing

import "strings"

// Redacted is a path without the token of a link: what stands in an address must
// not stand in a log (THREATS.md §4.4). Secrets that were sent by mail are cut as
// well.
func Redacted(path string) string {
	for _, prefix := range []string{"/s/", "/dav/link/", "/invite/", "/reset/", "/unlock/"} {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok || rest == "" {
			continue
		}
		secret, below, more := strings.Cut(rest, "/")
		if secret == "" {
			break
		}
		if more {
			below = "/" + below
		}
		return prefix + "[redacted]" + withoutSecrets(below)
	}
	return withoutSecrets(path)
}

// withoutSecrets cuts what looks like a secret out of any place of a path: the
// router leads //s/TOKEN to the link as well.
func withoutSecrets(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		for _, prefix := range []string{linkPrefix, invitePrefix, resetPrefix} {
			if strings.HasPrefix(part, prefix) {
				parts[i] = "[redacted]"
			}
		}
	}
	return strings.Join(parts, "/")
}
