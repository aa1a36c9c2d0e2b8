package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"portico/config"
)

// listen opens the listener, with TLS where the config has it.
func listen(ctx context.Context, cfg *config.Config, log *slog.Logger) (net.Listener, error) {
	l, err := listenOn(ctx, "server.listen", cfg.Server.Listen)
	if err != nil || cfg.Server.TLS == nil {
		return l, err
	}
	pair := &keyPair{tls: *cfg.Server.TLS, log: log}
	if _, err := pair.get(nil); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: pair.get,
	}), nil
}

// listenOn opens one listener; key is where the config names its address.
func listenOn(ctx context.Context, key, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on %s: %s (%w)", key, address, listenMend(err), err)
	}
	return l, nil
}

// listenMend says what to do about an address that cannot be had.
func listenMend(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, perhaps another Portico; end it, or choose another port"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 need a permission; choose a higher one, or give Portico CAP_NET_BIND_SERVICE"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have the address; write one that it has, or 0.0.0.0 for all of them"
	}
	return "check the address"
}

// keyPair is the server's certificate. It is read again when its file changes,
// since certificates are renewed while the server runs.
type keyPair struct {
	tls config.TLS
	log *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	from   time.Time // the certificate file's time
	told   time.Time // that of a renewal that does not fit, and was logged
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var at time.Time
	if info, err := os.Stat(k.tls.Cert); err == nil {
		at = info.ModTime()
	}
	if k.loaded != nil && at.Equal(k.from) {
		return k.loaded, nil
	}
	pair, err := k.tls.Certificate()
	switch {
	case err == nil:
		k.loaded, k.from = &pair, at
	case k.loaded == nil:
		return nil, fmt.Errorf("server.tls: %w", err)
	case !at.Equal(k.told):
		// Half renewed: the old one serves until both files fit. If they never do,
		// nobody would notice before it expires.
		k.told = at
		k.log.Warn("the renewed certificate cannot be used yet; the old one stays in use", "cert", k.tls.Cert, "err", err)
	}
	return k.loaded, nil
}
