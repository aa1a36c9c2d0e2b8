package config

import (
	"net/url"
	"os"
	"regexp"
	"strings"

	"portico/acl"
	"portico/vpath"
)

// Storage is a place for files. Exactly one of Local and S3 is not nil.
type Storage struct {
	Name  string
	Type  string // "local", "minio" or "s3"
	Local *Local
	S3    *S3
	At    acl.Source
}

// Local is a folder of this machine.
type Local struct {
	Path string // as written: relative to the working directory
}

// S3 is a bucket of MinIO or another S3 store.
type S3 struct {
	Endpoint  *url.URL // scheme://host[:port]
	Bucket    string
	Prefix    string // "" or "a/b/": what all keys begin with
	Region    string // "" for the store's own
	AccessKey string
	SecretKey Secret
	PathStyle bool // the bucket in the path, not in the host: the default for MinIO
}

// reserved is the folder at a storage's top that is ours (DESIGN.md §6).
const reserved = ".portico"

// storages reads all storages, whether a workspace uses them or not.
func (l *loader) storages(root *fields) map[string]Storage {
	all := map[string]Storage{}
	section, ok := root.need("storage", "say where the files lie, as in  storage: {disk: {type: local, path: data/files}}")
	if !ok {
		l.storageNames.open = true
		return all
	}
	entries := section.entries()
	if len(entries) == 0 {
		section.fault("there is no storage; say where the files lie, as in  disk: {type: local, path: data/files}")
		l.storageNames.open = true
	}
	for _, e := range entries {
		e.checkName()
		l.storageNames.add(e)
		all[e.key] = l.storage(e)
	}
	return all
}

// storage reads one. Each type has keys of its own, and those of another type
// are unknown ones.
func (l *loader) storage(e entry) Storage {
	out := Storage{Name: e.key, At: e.keyAt.at()}
	f := e.value.fields()
	v, ok := f.need("type", "write local, minio or s3")
	if !ok {
		return out
	}
	out.Type = v.choice("local", "minio", "s3")
	if s, _ := v.scalar("text"); s != out.Type {
		return out // which keys are right depends on the type
	}
	if out.Type == "local" {
		out.Local = local(f)
	} else {
		out.S3 = s3(f, out.Type)
	}
	f.close()
	return out
}

// local reads a folder. It need not exist yet: on a fresh clone it does not.
func local(f *fields) *Local {
	path, v, ok := f.needText("path", "write the folder that holds the files")
	if !ok {
		return nil
	}
	if strings.ContainsRune(path, 0) {
		v.fault("the path has a NUL character; remove it")
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		v.fault("%s is not a folder; write the folder that holds the files", v.shown())
	}
	return &Local{Path: path}
}

// s3 reads a bucket of MinIO or of another store; they differ in how the bucket
// is addressed. Whether it can be reached is found out by the start, and not
// here: a reload of the rules must not depend on the network.
func s3(f *fields, kind string) *S3 {
	const example = "http://127.0.0.1:9000"
	out := &S3{PathStyle: kind == "minio"}
	if v, ok := f.need("endpoint", "write the address of the store, as in "+example); ok {
		if u, ok := v.url(example, "https", "http"); ok && v.bare(u, example) {
			out.Endpoint = &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
			if u.Scheme == "http" && !isLoopback(hostPort(u)) {
				v.warn("files cross the network to %s unencrypted; use https:// unless that network is yours alone", u.Host)
			}
		}
	}
	if s, v, ok := f.needText("bucket", "write the bucket's name"); ok {
		out.Bucket = s
		if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(s) {
			v.fault("%s is not a bucket's name; it has 3 to 63 lower-case letters, digits, dots and hyphens", v.shown())
		}
	}
	if v, ok := f.get("prefix"); ok {
		if p, ok := v.folders("the storage's top"); ok && !p.IsRoot() {
			out.Prefix = strings.TrimPrefix(p.String(), "/") + "/"
		}
	}
	out.Region = f.text("region", "")
	out.AccessKey, _, _ = f.needText("access_key", `write access_key: "${MINIO_ACCESS_KEY}"`)
	if v, ok := f.need("secret_key", `write secret_key: "${MINIO_SECRET_KEY}"`); ok {
		out.SecretKey = v.secret()
	}
	if v, ok := f.get("path_style"); ok {
		out.PathStyle = v.bool()
	}
	return out
}

// hostPort is for isLoopback, which looks at the host alone.
func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":443"
	}
	return u.Host
}

// folders reads folders below something: "", "a" or "a/b", the root for "".
func (v value) folders(below string) (vpath.Path, bool) {
	s, ok := v.scalar("text")
	if !ok {
		return vpath.Path{}, false
	}
	s = strings.TrimSuffix(s, "/")
	p, err := vpath.Parse("/" + s)
	switch {
	case err != nil:
		v.fault(`%s is not a folder below %s: %v; write it as a/b, or "" for the top`, v.shown(), below, err)
		return p, false
	case strings.EqualFold(p.Top(), reserved):
		v.fault("%s lies in %s, which Portico keeps for itself; choose another name", v.shown(), reserved)
		return p, false
	}
	return p, true
}
