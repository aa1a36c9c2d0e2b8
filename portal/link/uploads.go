package link

import (
	"context"
	"net/http"
	"strings"

	"portico/portal/tus"
	"portico/sharing"
)

// uploads takes resumable uploads to a link: package tus, at an address of each
// link's own, so that its cookie and its terms are asked with each piece.
type uploads struct{ http.Handler }

// tusPrefix is where package tus thinks that it is.
const tusPrefix = "/uploads"

// visitKey is the open link in a request's context.
type visitKey struct{}

func (p *pages) newUploads() uploads {
	return uploads{tus.New(tus.Options{
		Prefix: tusPrefix, Text: p.kit.Text, Log: p.kit.Log, MaxSize: p.MaxUpload,
		Tree: func(r *http.Request) (tus.Tree, error) {
			v, _ := r.Context().Value(visitKey{}).(*sharing.Visit) // set below, always
			return v.Room().Sender(), nil
		},
	})}
}

// serve hands a request on, and gives addresses in the answer as the client knows
// them.
func (u uploads) serve(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	here := at(r, tusPrefix)
	inner := r.Clone(context.WithValue(r.Context(), visitKey{}, v))
	inner.URL.Path = tusPrefix + strings.TrimPrefix(r.URL.Path, here)
	inner.URL.RawPath = ""
	u.ServeHTTP(&located{ResponseWriter: w, here: here}, inner)
}

// located is an answer whose Location is of the link.
type located struct {
	http.ResponseWriter
	here string
}

// WriteHeader is of http.ResponseWriter.
func (l *located) WriteHeader(status int) {
	if at := l.Header().Get("Location"); at != "" {
		l.Header().Set("Location", l.here+strings.TrimPrefix(at, tusPrefix))
	}
	l.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (l *located) Unwrap() http.ResponseWriter { return l.ResponseWriter }
