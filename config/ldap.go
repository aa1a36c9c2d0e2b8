package config

import "strings"

// ldap is refused, since without it those whom only the directory knows could
// not sign in, and rules for its groups would hold for nobody. Its keys are
// checked all the same, so that a file written today is right when it is built.
func (l *loader) ldap(section value) {
	const example = "ldaps://dc1.firm.example"
	f := section.fields()
	starttls := f.bool("starttls")
	if v, ok := f.need("url", "write the directory's address, as in "+example); ok {
		u, ok := v.url(example, "ldaps", "ldap")
		if ok && v.bare(u, example) && u.Scheme == "ldap" && !starttls {
			v.fault("passwords would cross the network unencrypted; write %s, or add starttls: true", example)
		}
	}
	f.needText("bind_dn", "write the name of an account that may search")
	if v, ok := f.need("bind_password", `write bind_password: "${file:/run/secrets/ldap}"`); ok {
		v.secret()
	}
	f.text("ca", "")
	l.ldapSearch(f, "users", "login", "name", "email", "id")
	l.ldapSearch(f, "groups", "name")
	if v, ok := f.get("cache"); ok {
		v.duration()
	}
	f.close()
	l.notBuilt(section, "sign-in through LDAP", "list the users under identity.users for now")
}

// ldapSearch checks one of the two searches; attributes name what each finds.
func (l *loader) ldapSearch(root *fields, key string, attributes ...string) {
	section, ok := root.need(key, "say where they are: base, filter and attributes")
	if !ok {
		return
	}
	f := section.fields()
	defer f.close()
	f.needText("base", `write where they lie, as in "ou=people,dc=firm,dc=example"`)
	if s, v, ok := f.needText("filter", `write how one is found, as in "(uid={login})"`); ok {
		place := map[string]string{"users": "{login}", "groups": "{dn}"}[key]
		if !strings.HasPrefix(s, "(") || !strings.HasSuffix(s, ")") || !strings.Contains(s, place) {
			v.fault("%s is not a filter; write it in brackets and with %s, as in (uid={login}) or (member={dn})", v.shown(), place)
		}
	}
	for _, a := range attributes {
		f.text(a, "")
	}
	if key == "groups" {
		f.bool("nested")
	}
}
