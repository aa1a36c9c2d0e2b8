package app

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// withHealth answers those who look after the server, under whatever name they
// reach it.
func (s *process) withHealth(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isProbe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		switch {
		case !isProbe:
			next.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "ask by GET")
		case r.URL.Path == "/healthz":
			answerProbe(w, http.StatusOK, []string{"ok"})
		default:
			s.ready(w, r)
		}
	})
}

func answerProbe(w http.ResponseWriter, status int, lines []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, strings.Join(lines, "\n"))
}

// ready tells a balancer whether to send requests here: state, storage, config.
// A config with a fault is told and is no reason to stop: the older rules are in force.
func (s *process) ready(w http.ResponseWriter, r *http.Request) {
	// Anybody may ask, without a login: however many do at once, the store is
	// asked once, and not for the sake of the one who may leave.
	ctx := context.WithoutCancel(r.Context())
	found, _, _ := s.checks.Do("", func() (any, error) { return s.check(ctx), nil })
	sick, _ := found.(map[string]bool)
	status, lines := http.StatusOK, []string{"config: ok"}
	if s.stale.Load() {
		lines[0] = "config: the file has a fault, see the log; the older rules are in force"
	}
	if s.draining.Load() {
		status, lines = http.StatusServiceUnavailable, append(lines, "server: stopping")
	}
	for what, away := range sick {
		word := "ok"
		if away {
			status, word = http.StatusServiceUnavailable, "unavailable"
		}
		lines = append(lines, what+": "+word)
	}
	slices.Sort(lines)
	answerProbe(w, status, lines)
}

// checkPatience is less than a prober's, so that it hears which part hangs.
const checkPatience = 3 * time.Second

// check asks the state and all storages at once: one that hangs must not make
// the next look sick. Why one is, is in the log alone.
func (s *process) check(ctx context.Context) (sick map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	sick = map[string]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	ask := func(what string, check func(context.Context) error) {
		all.Go(func() {
			err := check(ctx)
			if err != nil {
				s.log.WarnContext(ctx, "not ready", "what", what, "err", err)
			}
			mu.Lock()
			defer mu.Unlock()
			sick[what] = err != nil
		})
	}
	ask("state", s.state.Check)
	if s.state.Shared() { // else nobody changes anything behind our back
		ask("replicas", func(context.Context) error { return s.files.Stale() })
	}
	for name, st := range s.storages {
		ask("storage "+name, st.Check)
	}
	all.Wait()
	return sick
}
