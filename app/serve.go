package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"portico/backends"
	"portico/config"
	"portico/files"
	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/gate"
	"portico/identity/throttle"
	"portico/identity/unlock"
	"portico/lang"
	"portico/notify"
	"portico/portal/mount"
	"portico/sharing"
	"portico/store"
)

// The rhythm of what runs beside the requests.
const (
	drainTime   = 30 * time.Second // for requests under way at the end
	tidyTime    = 5 * time.Second  // for those cut off, to take back what they have stored
	reapEvery   = time.Hour
	reapAfter   = 24 * time.Hour // an upload that began longer ago is dead
	resumeEvery = time.Second
	lookEvery   = 2 * time.Second // for what other replicas watch
)

type serveCmd struct {
	Config string `default:"portico.yaml" help:"The config."`
}

// gcPercent keeps a process that takes large uploads small: garbage of the buffers
// would otherwise take as much again as what lives. It costs the
// collector some time more, which is little beside the network; $GOGC says otherwise.
const gcPercent = 70

func (k serveCmd) Run(c *console) error {
	if _, said := c.env("GOGC"); !said {
		debug.SetGCPercent(gcPercent)
	}
	cfg, err := config.Load(k.Config, c.env)
	if err != nil {
		return err
	}
	log := newLogger(c.err, cfg.Server.Log.Format, cfg.Server.Log.Level)
	for _, w := range cfg.Warnings {
		log.WarnContext(c.ctx, "config", "warning", w.String())
	}
	s, err := newServerProcess(c.ctx, cfg, c.env, log)
	if c.ctx.Err() != nil && err != nil {
		return nil // ended while it started, as it was told to
	}
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.refuseDemoCustomer(c.ctx, cfg); err != nil {
		return err
	}
	return s.run(c.ctx, c.out)
}

// process is a server with all that it stands on.
type process struct {
	file    string
	env     func(string) (string, bool)
	log     *slog.Logger
	clock   func() time.Time
	metrics *metrics

	state     store.State
	storages  map[string]backends.Storage
	trees     map[string]backends.Backend // by workspace
	audit     *record
	files     *files.Service
	queue     *identity.Queue // of hashes: one for the process, whatever is reloaded
	people    atomic.Pointer[directory]
	passwords *apppass.Keeper
	gate      *gate.Gate
	catalog   *lang.Catalog
	throttle  *throttle.Throttle
	notices   *notify.Notifier
	sharing   *sharing.Service
	unlock    *unlock.Keeper
	doctor    *mount.Doctor
	public    atomic.Pointer[url.URL] // the address that people use

	colleagues colleagues

	opened *config.Config // at the start
	cfg    atomic.Pointer[config.Config]
	stale  atomic.Bool // the config file has a fault; cfg is older

	reload     sync.Mutex   // one at a time
	swapping   sync.RWMutex // see epoch
	generation uint64

	checks   singleflight.Group // of readiness
	running  atomic.Int64       // requests
	draining atomic.Bool
}

func newServerProcess(ctx context.Context, cfg *config.Config, env func(string) (string, bool), log *slog.Logger) (*process, error) {
	return newProcessAt(ctx, cfg, env, log, time.Now) //nolint:forbidigo // the program's one clock
}

// newProcessAt is newServerProcess with a clock of the caller's.
func newProcessAt(ctx context.Context, cfg *config.Config, env func(string) (string, bool), log *slog.Logger, clock func() time.Time) (*process, error) {
	s := &process{file: cfg.File, env: env, log: log, metrics: newMetrics(), opened: cfg, clock: clock}
	s.cfg.Store(cfg)
	// Until the listener is there and tells its port: nobody is sent there before.
	s.public.Store(publicURL(cfg, namedAddress(cfg.Server.Listen)))
	var err error
	if s.catalog, err = lang.New(); err != nil {
		return nil, err
	}
	if err := s.open(ctx, cfg); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// open opens what the config names, from the bottom up.
func (s *process) open(ctx context.Context, cfg *config.Config) (err error) {
	if s.state, err = openState(ctx, cfg, s.log); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if s.storages, s.trees, err = openStorages(ctx, cfg, s.clock, s.log, s.metrics.call); err != nil {
		return err
	}
	if s.audit, err = s.openRecord(cfg); err != nil {
		return err
	}
	if err := s.openNotices(cfg); err != nil {
		return err
	}
	if err := s.openGate(cfg); err != nil {
		return err
	}
	s.files = files.New(files.Options{
		State: s.state, Audit: s.audit, Clock: s.clock, Rand: rand.Reader, Log: s.log, Decided: s.metrics.decided,
		Epoch: func() string { return s.cfg.Load().Digest },
		Giver: s.giver, Deposited: s.deposited, Opened: s.openedFirst,
	})
	if err := s.openSharing(cfg); err != nil {
		return err
	}
	s.doctor = mount.New(mount.Options{Store: s.state, Catalog: s.catalog, Clock: s.clock, Log: s.log})
	s.applyRules(cfg)
	if err := s.files.Resume(ctx); err != nil {
		s.log.WarnContext(ctx, "moves that a crash left open wait for their storage", "err", err)
	}
	s.watchNumbers() //nolint:contextcheck // a scrape comes with a context of its own
	return nil
}

// openGate makes the one check of passwords, for all doors.
func (s *process) openGate(cfg *config.Config) error {
	s.queue = newQueue()
	people, err := newDirectory(cfg, nil, s.state, s.queue, s.clock, s.log)
	if err != nil {
		return err
	}
	s.people.Store(people)
	s.openColleagues()
	s.passwords = apppass.New(apppass.Options{Store: s.state, Clock: s.clock, Rand: rand.Reader, Log: s.log})
	s.throttle = throttle.New(throttle.Options{Store: s.state, Clock: s.clock, Log: s.log})
	s.gate, err = gate.New(gate.Options{
		Settings: people.settings(), Throttle: s.throttle, AppPasswords: s.passwords, Clock: s.clock, Rand: rand.Reader, Log: s.log,
		Failed: s.signInFailed, Attacked: s.attacked,
	})
	return err
}

// close lets go of everything, the state last, which the others still write to;
// what was not opened is passed over.
func (s *process) close() {
	closers := map[string]func() error{"directory": func() error { return s.people.Load().close(nil) }}
	if s.passwords != nil {
		closers["app passwords"] = s.passwords.Close
	}
	if s.audit != nil {
		closers["audit"] = s.audit.close
	}
	for name, st := range s.storages {
		closers["storage "+name] = st.Close
	}
	if s.state != nil {
		defer s.closeOne("state", s.state.Close)
	}
	for what, end := range closers {
		s.closeOne(what, end)
	}
}

func (s *process) closeOne(what string, end func() error) {
	if err := end(); err != nil {
		s.log.Error("close", "what", what, "err", err)
	}
}

// run serves until ctx ends, and then lets requests under way come to their end.
func (s *process) run(ctx context.Context, out io.Writer) error {
	cfg := s.cfg.Load()
	listener, err := listen(ctx, cfg, s.log)
	if err != nil {
		return err
	}
	public := publicURL(cfg, listener.Addr())
	s.public.Store(public)
	server := newServer(s.handler(cfg, public), s.log)
	stopped := make(chan error, 2)
	stopMetrics, err := s.serveMetrics(ctx, cfg, stopped)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopMetrics()
	go func() { stopped <- server.Serve(listener) }()

	// What runs beside the requests goes on until the last of them is answered:
	// they rely on it.
	beside, stopBeside := context.WithCancel(context.WithoutCancel(ctx))
	wait := s.runBeside(beside)
	defer wait()
	defer stopBeside()

	printWelcome(out, public, listener.Addr())
	s.log.InfoContext(ctx, "serving", "address", listener.Addr().String(), "public_url", public.String(), "version", version())
	select {
	case err = <-stopped:
	case <-ctx.Done():
		err = s.announce(cfg.Server.Drain, stopped)
	}
	return errors.Join(err, s.drain(server, drainTime)) //nolint:contextcheck // ctx has ended
}

// announce turns /readyz red and serves on for a while, so that the balancer in
// front sends nobody here any more when the listener closes.
func (s *process) announce(lasts time.Duration, stopped <-chan error) error {
	s.draining.Store(true)
	if lasts == 0 {
		return nil
	}
	s.log.Info("stopping: not ready from now on, for the balancer to see", "for", lasts)
	select {
	case err := <-stopped:
		return err
	case <-time.After(lasts):
		return nil
	}
}

// drain ends the server: no new requests, and some time for those under way.
func (s *process) drain(server *http.Server, within time.Duration) error {
	s.draining.Store(true)
	s.log.Info("stopping: requests under way may end", "within", within)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests cut off at the end", "requests", s.running.Load())
		err = server.Close()
		s.awaitQuiet()
	}
	return err
}

// awaitQuiet waits for requests that were cut off. Their uploads abort, and need
// the storage for it, which is closed next.
func (s *process) awaitQuiet() {
	tick := time.NewTicker(tidyTime / 500)
	defer tick.Stop()
	late := time.After(tidyTime)
	for s.running.Load() > 0 {
		select {
		case <-tick.C:
		case <-late:
			return
		}
	}
}

// serveMetrics opens the metrics' own listener.
func (s *process) serveMetrics(ctx context.Context, cfg *config.Config, stopped chan<- error) (stop func(), err error) {
	if cfg.Server.MetricsListen == "" {
		return func() {}, nil
	}
	l, err := listenOn(ctx, "server.metrics_listen", cfg.Server.MetricsListen)
	if err != nil {
		return nil, err
	}
	server := newServer(s.metrics.handler(), s.log)
	server.WriteTimeout = stallTimeout
	go func() { stopped <- server.Serve(l) }()
	s.log.InfoContext(ctx, "metrics", "address", "http://"+l.Addr().String()+"/metrics")
	return func() { _ = server.Close() }, nil
}

// publicURL is the address that people use: the config's, or the listener's own.
func publicURL(cfg *config.Config, at net.Addr) *url.URL {
	if cfg.Server.PublicURL != nil {
		return cfg.Server.PublicURL
	}
	scheme := "http"
	if cfg.Server.TLS != nil {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, Host: at.String()}
}

// namedAddress is an address to listen on, before anything does.
type namedAddress string

func (namedAddress) Network() string  { return "tcp" }
func (a namedAddress) String() string { return string(a) }

func printWelcome(out io.Writer, public *url.URL, at net.Addr) {
	dav := public.JoinPath("dav") // without the slash that Windows dislikes
	fmt.Fprintf(out, `Portico serves %[1]s/ (listening on %[2]s)
  in a browser, also how to mount it:  %[3]s/
  Windows:   net use P: %[1]s
  macOS:     Finder, Go, Connect to Server: %[1]s/
  GNOME:     gio mount dav://%[4]s/dav/     (davs:// with TLS)
  Linux:     mount -t davfs %[1]s/ /mnt/portico
`, dav, at, public, public.Host)
}
