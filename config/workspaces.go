package config

import (
	"regexp"
	"slices"
	"strings"

	"portico/acl"
	"portico/vpath"
)

// Workspace is a drive. Its folder rules are in Config.Spec.
type Workspace struct {
	Name       string
	Title      string // for people to read; the name where it is left out
	Storage    string // a key of Config.Storage
	Root       string // folders below the storage's prefix: "a/b", "" for the top
	Quota      int64  // bytes; 0 for none
	AuditReads Reads  // which reads are recorded; changes always are
	Names      Names
	Brand      Brand
	At         acl.Source
}

// Names says which names new files and folders may have.
type Names struct {
	WindowsSafe bool // none that Windows cannot hold
}

// Path is the workspace's address: /NAME.
func (w Workspace) Path() vpath.Path { return vpath.Must("/" + w.Name) }

// keptNames are those of /dav/… that are no workspaces (DESIGN.md §3).
func keptNames() []string { return []string{"shared", "link", "files", "uploads"} }

// workspaces reads all drives with their rules.
func (l *loader) workspaces(c *Config, root *fields) {
	const mend = "add one, as in  workspaces: {firm: {storage: disk}}"
	section, ok := root.need("workspaces", mend)
	if !ok {
		l.workspaceNames.open = true
		return
	}
	entries := section.entries()
	if len(entries) == 0 {
		section.fault("there is no workspace, so nobody would see a file; %s", mend)
		l.workspaceNames.open = true
	}
	roots := map[string]value{}
	for _, e := range entries {
		l.workspaceNames.add(e)
		w, rootAt := l.workspace(c, e)
		c.Workspaces = append(c.Workspaces, w)
		roots[w.Name] = rootAt
	}
	l.overlaps(c, roots)
}

// workspace yields also the value that says where its files lie.
func (l *loader) workspace(c *Config, e entry) (Workspace, value) {
	w := Workspace{Name: e.key, Root: e.key, At: e.keyAt.at()}
	top, ok := workspaceTop(e)
	if !ok {
		top = vpath.Must("/invalid") // its folders are still read, for their faults
	}
	f := e.value.fields()
	defer f.close()
	w.Title = f.text("title", w.Name)
	if s, v, ok := f.needText("storage", "name one of storage:"); ok && l.storageNames.check(v, s) {
		w.Storage = s
	}
	rootAt := e.keyAt
	if v, ok := f.get("root"); ok {
		rootAt = v
		p, ok := v.folders("the storage")
		if w.Root = strings.TrimPrefix(p.String(), "/"); !ok {
			w.Storage = "" // reported; keep it out of the overlaps
		}
	}
	if v, ok := f.get("quota"); ok {
		w.Quota = v.size()
	}
	w.AuditReads = auditReads(f)
	w.Names = readNames(f)
	w.Brand = brand(f, w.Title)
	if v, ok := f.get("folders"); ok {
		l.folders(c, top, v)
	}
	return w, rootAt
}

// workspaceTop is the address of a workspace. Its name is part of every URL and
// of every mounted drive, and cannot change later without breaking them: so it
// is plain, and title is what people read.
func workspaceTop(e entry) (vpath.Path, bool) {
	if slices.Contains(keptNames(), e.key) {
		e.keyAt.fault("the name %s is kept for Portico's own addresses; choose another", e.key)
		return vpath.Path{}, false
	}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`).MatchString(e.key) || strings.HasSuffix(e.key, ".") {
		e.keyAt.fault("the name %s cannot be a workspace's; use up to 64 lower-case letters, digits, - _ and ., a letter or digit first and no dot last (title: may be anything)", e.keyAt.shown())
		return vpath.Path{}, false
	}
	p, err := vpath.Parse("/" + e.key)
	if err == nil {
		err = p.CheckNew() // Windows keeps names such as con and nul
	}
	if err != nil {
		e.keyAt.fault("the name %s cannot be a workspace's: %v; choose another", e.keyAt.shown(), err)
	}
	return p, err == nil
}

// readNames reads the rules for new names.
func readNames(root *fields) Names {
	section, ok := root.get("names")
	if !ok {
		return Names{}
	}
	f := section.fields()
	defer f.close()
	return Names{WindowsSafe: f.bool("windows_safe")}
}

// Reads are those that the audit records. The zero value is ReadsNone.
type Reads int

// The reads that may be recorded.
const (
	ReadsNone  Reads = iota
	ReadsLinks       // those through a link, whose reader has no name
	ReadsAll
)

// String is the word of the config.
func (r Reads) String() string {
	switch r {
	case ReadsLinks:
		return "links"
	case ReadsAll:
		return "all"
	default:
		return "none"
	}
}

// auditReads reads which reads are recorded.
func auditReads(root *fields) Reads {
	section, ok := root.get("audit")
	if !ok {
		return ReadsNone
	}
	f := section.fields()
	defer f.close()
	v, ok := f.get("reads")
	if !ok {
		return ReadsNone
	}
	word := v.choice(ReadsNone.String(), ReadsLinks.String(), ReadsAll.String())
	for _, r := range []Reads{ReadsLinks, ReadsAll} {
		if r.String() == word {
			return r
		}
	}
	return ReadsNone
}
