package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"portico/config"
)

// listen opens the listener, with TLS where the config has it.
func listen(ctx context.Context, cfg *config.Config) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Server.Listen)
	if err != nil {
		return nil, fmt.Errorf("server.listen: %w", err)
	}
	if cfg.Server.TLS == nil {
		return l, nil
	}
	pair := &keyPair{tls: *cfg.Server.TLS}
	if _, err := pair.get(nil); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: pair.get,
	}), nil
}

// keyPair is the server's certificate. It is read again when its file changes,
// since certificates are renewed while the server runs.
type keyPair struct {
	tls config.TLS

	mu     sync.Mutex
	loaded *tls.Certificate
	from   time.Time // the certificate file's time
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
	if err != nil && k.loaded != nil {
		return k.loaded, nil // half renewed: the old one serves until both files fit
	}
	if err != nil {
		return nil, fmt.Errorf("server.tls: %w", err)
	}
	k.loaded, k.from = &pair, at
	return k.loaded, nil
}
