package config

import (
	"maps"
	"reflect"
	"slices"
)

// RestartNeeded names the keys that differ from old and take effect at the next
// start alone, sorted. All else (users, the LDAP directory, require_app_password,
// groups, roles, rules, assertions, language, time_zone, a workspace's title, brand, names,
// quota and audit) takes effect with a reload; a test holds the two lists against the fields of Config.
func (c *Config) RestartNeeded(old *Config) []string {
	var keys []string
	compare := func(key string, now, then any) {
		if !reflect.DeepEqual(now, then) { // looks behind the pointers of URLs and Secrets
			keys = append(keys, key)
		}
	}
	compareServers(compare, c.Server, old.Server)
	compare("state", c.State, old.State)
	compare("audit", c.Audit, old.Audit)
	compare("identity.oidc", c.OIDC, old.OIDC)
	compare("mail", c.Mail, old.Mail)
	compare("webdav", c.WebDAV, old.WebDAV)
	for _, name := range union(c.Storage, old.Storage) {
		compare("storage."+name, c.Storage[name].placed(), old.Storage[name].placed())
	}
	now, then := places(c.Workspaces), places(old.Workspaces)
	for _, name := range union(now, then) {
		compare("workspaces."+name, now[name], then[name])
	}
	slices.Sort(keys)
	return keys
}

// compareServers goes through all keys of server; a test holds it against the
// fields of Server.
func compareServers(compare func(key string, now, then any), now, then Server) {
	compare("server.listen", now.Listen, then.Listen)
	compare("server.public_url", now.PublicURL, then.PublicURL)
	compare("server.metrics_listen", now.MetricsListen, then.MetricsListen)
	compare("server.hosts", now.Hosts, then.Hosts)
	compare("server.tls", now.TLS, then.TLS)
	compare("server.log", now.Log, then.Log)
	compare("server.trusted_proxies", now.TrustedProxies, then.TrustedProxies)
	compare("server.replica", now.Replica, then.Replica)
	compare("server.drain", now.Drain, then.Drain)
	compare("server.max_upload", now.MaxUpload, then.MaxUpload)
	compare("server.dangerously_allow_plain_http", now.DangerouslyAllowPlainHTTP, then.DangerouslyAllowPlainHTTP)
	compare("server.dangerously_allow_open_metrics", now.DangerouslyAllowOpenMetrics, then.DangerouslyAllowOpenMetrics)
}

// placed is s without the line it stands on, which may move freely.
func (s Storage) placed() []any { return []any{s.Type, s.Local, s.S3} }

// places tells where each workspace's files lie.
func places(all []Workspace) map[string][2]string {
	m := map[string][2]string{}
	for _, w := range all {
		m[w.Name] = [2]string{w.Storage, w.Root}
	}
	return m
}

// union are the keys of either map.
func union[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}
