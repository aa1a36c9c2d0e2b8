package config

import (
	"net/url"
	"regexp"
	"slices"
)

// oidc reads an outside provider that signs people in to the pages. It sends
// them back to server.public_url, or where that is left out to the loopback
// address that is listened on; publicURL sees to it that one of them is there.
func (l *loader) oidc(section value) *OIDC {
	f := section.fields()
	defer f.close()
	o := &OIDC{Issuer: oidcIssuer(f)}
	if o.Issuer != nil {
		o.Title = o.Issuer.Hostname()
	}
	o.ClientID, _, _ = f.needText("client_id", "write the name that the provider knows Portico by")
	if v, ok := f.need("client_secret", `write client_secret: "${file:/run/secrets/oidc}"`); ok {
		o.ClientSecret = v.secret()
	}
	o.Title = f.text("title", o.Title)
	o.Scopes = oidcScopes(f)
	o.claims(f)
	o.VouchesForUsers = f.bool("vouches_for_users")
	o.Only = f.bool("only")
	return o
}

// oidcIssuer reads the address that the provider calls itself by. It is kept as
// it was written, since it must be the provider's own to the letter (OpenID
// Connect Discovery §4.3).
func oidcIssuer(f *fields) *url.URL {
	const example = "https://login.firm.example/realms/firm"
	v, ok := f.need("issuer", "write the provider's address, as in "+example)
	if !ok {
		return nil
	}
	u, ok := v.url(example, "https", "http")
	switch {
	case !ok:
		return nil
	case u.Scheme == "http" && !isLoopback(hostPort(u)):
		v.fault("who signs in would be told over the network unencrypted, for anybody to change; write it as %s", example)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		v.fault("the address must end after the path; write it as %s", example)
	}
	return u
}

// oidcScopes are what the provider is asked for. Without openid it would answer
// with no identity (OpenID Connect Core §3.1.2.1).
func oidcScopes(f *fields) []string {
	v, ok := f.get("scopes")
	if !ok {
		return []string{"openid", "profile", "email"}
	}
	var list []string
	for _, w := range v.texts("scopes") {
		if !regexp.MustCompile(`^[!#-\[\]-~]+$`).MatchString(w.text) { // RFC 6749 §3.3
			w.fault("%s is not a scope; write each as an item of its own, as in [openid, profile, email]", w.shown())
		}
		list = append(list, w.text)
	}
	if !slices.Contains(list, "openid") {
		v.fault("openid is missing, without which nobody is named; write [openid, profile, email]")
	}
	return list
}

// claims are the names of what the provider says of somebody; those of OpenID
// Connect Core §5.1 where they are left out. None is the standard for groups.
func (o *OIDC) claims(root *fields) {
	o.Login, o.Name, o.Email = "preferred_username", "name", "email"
	section, ok := root.get("claims")
	if !ok {
		return
	}
	f := section.fields()
	defer f.close()
	o.Login = oidcClaim(f, "login", o.Login)
	o.Name = oidcClaim(f, "name", o.Name)
	o.Email = oidcClaim(f, "email", o.Email)
	o.Groups = oidcClaim(f, "groups", "")
}

// oidcClaim reads one; some providers' names are addresses.
func oidcClaim(f *fields, key, standard string) string {
	v, ok := f.get(key)
	if !ok {
		return standard
	}
	s, ok := v.text()
	if ok && !regexp.MustCompile(`^[!-~]{1,256}$`).MatchString(s) {
		v.fault("%s is not the name of a claim; write it as the provider does, as in preferred_username", v.shown())
	}
	return s
}
