package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"portico/fault"
	"portico/portal/web"
)

// refusedError is an answer that is not in the table of errors: it speaks of the
// request's own form.
type refusedError struct {
	status   int
	sentence string
}

func (e *refusedError) Error() string { return e.sentence }

// body reads the body of a request.
func body(w http.ResponseWriter, r *http.Request, into any) error {
	if status, sentence := web.ReadJSON(w, r, into); sentence != "" {
		return &refusedError{status, sentence}
	}
	return nil
}

// reply answers with JSON. What is read gets an ETag, so that a program that asks
// now and then is told in one line that nothing has changed.
func reply(w http.ResponseWriter, r *http.Request, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("api: reply: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if status == http.StatusOK && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		sum := sha256.Sum256(b)
		tag := `"` + hex.EncodeToString(sum[:tagBytes]) + `"`
		h.Set("ETag", tag)
		if slices.Contains(tags(r.Header.Values("If-None-Match")), strings.Trim(tag, `"`)) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client may have gone
	return nil
}

// tagBytes is how much of the sum is an ETag: 128 bits.
const tagBytes = 16

// made answers with something new, and where it is.
func made(w http.ResponseWriter, r *http.Request, location string, v any) error {
	w.Header().Set("Location", location)
	return reply(w, r, http.StatusCreated, v)
}

// done answers that there is nothing to say.
func done(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tags reads If-Match and If-None-Match: the tags without their quotes; nil where
// there is none.
func tags(values []string) []string {
	var all []string
	for _, v := range values {
		for tag := range strings.SplitSeq(v, ",") {
			all = append(all, strings.Trim(strings.TrimSpace(tag), `"`))
		}
	}
	return all
}

// Limits of a page of a list.
const (
	perPage    = 200
	maxPerPage = 1000
)

// page cuts out of a list what was asked for: limit of them, after the one that
// has the key. next is the key to go on with, "" at the end.
func page[T any](r *http.Request, list []T, key func(T) string) (part []T, next string, err error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, "", err
	}
	if after := r.URL.Query().Get("after"); after != "" {
		i := slices.IndexFunc(list, func(v T) bool { return key(v) == after })
		if i < 0 {
			return nil, "", fault.Tell(fs.ErrInvalid, "after: the list does not have it any more; begin anew, without after.")
		}
		list = list[i+1:]
	}
	if len(list) > limit {
		list = list[:limit]
		next = key(list[limit-1])
	}
	return list, next, nil
}

// limitOf is how many things of a list were asked for.
func limitOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return perPage, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxPerPage {
		return 0, fault.Tell(fs.ErrInvalid, "limit: give a number from 1 to %d.", maxPerPage)
	}
	return n, nil
}

// yes reads a question of an address that is on or off.
func yes(r *http.Request, name string) (bool, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(s)
	if err != nil {
		return false, fault.Tell(fs.ErrInvalid, "%s: say true or false.", name)
	}
	return on, nil
}

// each makes the JSON of a list, [] of none.
func each[T, J any](list []T, f func(T) J) []J {
	all := make([]J, 0, len(list))
	for _, v := range list {
		all = append(all, f(v))
	}
	return all
}

// listed is a list that JSON writes as [] where it is empty, and not as null.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// absent tells an error of something that is not there.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
