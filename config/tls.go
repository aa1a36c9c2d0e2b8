package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// TLS is the server's certificate.
type TLS struct {
	Cert string // PEM, or the path of a PEM file
	Key  Secret // likewise
}

// Certificate reads the pair; the files may have been renewed since the config
// was loaded.
func (t *TLS) Certificate() (tls.Certificate, error) {
	cert, err := pemOf(t.Cert)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	key, err := pemOf(t.Key.Reveal())
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("key: %w", err)
	}
	return tls.X509KeyPair(cert, key)
}

// isPEM tells the content from a path. "${file:…}" and "${NAME}" give contents.
func isPEM(s string) bool { return strings.Contains(s, "-----BEGIN") }

// pemOf is the content, read from the file where a path is given.
func pemOf(s string) ([]byte, error) {
	if isPEM(s) {
		return []byte(s), nil
	}
	data, _, err := readBounded(s, 1<<20)
	return data, err
}

// authorities tries a PEM file with the certificates of those who may vouch for
// a server. It is read again by who uses it.
func authorities(path string) error {
	data, _, err := readBounded(path, 1<<20)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(data) {
		err = errNoCertificate
	}
	return err
}

var errNoCertificate = errors.New("without a certificate")

// authorities reads the path of such a file.
func (v value) authorities() string {
	s, ok := v.text()
	if !ok {
		return ""
	}
	if isPEM(s) {
		v.fault("this is the content of a file; write its path, without ${file:…}")
		return ""
	}
	if err := authorities(s); err != nil {
		v.fault("the file %s cannot be used: %s; write the path of a PEM file with the certificate of your authority", v.shown(), why(err))
	}
	return s
}

// tls reads the certificate and tries it, so that a pair that does not fit is
// found out before the old one is let go.
func (l *loader) tls(root *fields) *TLS {
	section, ok := root.get("tls")
	if !ok {
		return nil
	}
	f := section.fields()
	defer f.close()
	cert, certAt, okCert := f.needText("cert", "write the path of the certificate")
	key, keyAt, okKey := f.needText("key", "write the path of the key")
	if okCert && okKey && readable(certAt, cert) && readable(keyAt, key) && keyIsPrivate(keyAt, key) {
		t := &TLS{Cert: cert, Key: NewSecret(key)}
		if _, err := t.Certificate(); err != nil {
			section.fault("the certificate and the key cannot be used: %v; check that both are PEM and belong together", err)
		}
		return t
	}
	return &TLS{} // the fault was reported; it is still no plain HTTP
}

// readable reports a path that leads to nothing, at the key that has it.
func readable(v value, pathOrPEM string) bool {
	if _, err := pemOf(pathOrPEM); err != nil {
		v.fault("the file %s cannot be read: %s; check the path (it is relative to the working directory) and the file's mode", v.shown(), why(err))
		return false
	}
	return true
}

// keyIsPrivate refuses a key that everybody on the machine may read, as
// ${file:…} does.
func keyIsPrivate(v value, pathOrPEM string) bool {
	if isPEM(pathOrPEM) {
		return true
	}
	info, err := os.Stat(pathOrPEM)
	if err == nil && info.Mode().Perm()&0o004 != 0 {
		v.fault("the file %s can be read by everybody on this machine; chmod 640 it", v.shown())
		return false
	}
	return true
}

// acme is refused, since without it the server would speak plain HTTP.
func (l *loader) acme(root *fields) {
	section, ok := root.get("acme")
	if !ok {
		return
	}
	f := section.fields()
	if v, ok := f.need("domains", "list the names that the certificate is for"); ok {
		for _, w := range v.texts("host names") {
			if !isHostName(w.text) {
				w.fault("%s is not a host name; write it as files.firm.example", w.shown())
			}
		}
	}
	if v, ok := f.get("email"); ok {
		v.email()
	}
	f.close()
	l.notBuilt(section, "a certificate through ACME", "use tls: with a certificate of your own")
}

// notBuilt refuses a key whose part comes later, where silence would be unsafe.
func (l *loader) notBuilt(v value, what, mend string) {
	v.fault("%s is not built yet; %s", what, mend)
}
