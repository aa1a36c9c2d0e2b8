package arch

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"portico/acl"
	"portico/lang"
)

// sayers are the functions that take a sentence for people, and which argument is
// its template. Those of one folder are not exported there.
func sayers() map[string]int {
	return map[string]int{
		"fault.Tell": 1, "fault.Say": 0,
		"acl/say": 0, "files/plain": 1, "identity/oidc/refused": 0, "vpath/refuse": 0,
	}
}

// englishOnly are folders whose sentences reach no page: those of the drive, of the
// command line, and what the API says of a call that no page of ours makes.
func englishOnly(folder string) bool {
	return folder == "gateway" || folder == "app" || folder == "portal/api" || strings.HasPrefix(folder, "internal")
}

// handsOn tells the places that give a template on, which is written out elsewhere.
func handsOn(where string) bool {
	return where == "fault" || where == "acl/say" || where == "files/plain" || where == "identity/oidc/refused" || where == "vpath/refuse"
}

// givesSentences tells the functions whose templates have no words because what
// stands in them is a sentence already.
func givesSentences(where string) bool {
	switch where {
	case "files/denied", "files/of", "portal/tus/judge":
		return true
	case "files/Why": // of the API and the command line: a word that is no right
		return true
	}
	return strings.HasPrefix(where, "acl/")
}

// template is one that somebody may read on a page.
type template struct{ id, where string }

// templates are those of a file; wrong has a sentence for each that cannot be found
// in a catalog, because it is not written out.
func (s source) templates() (all []template, wrong []string) {
	folder := path.Dir(s.path)
	if englishOnly(folder) {
		return nil, nil
	}
	for _, decl := range s.tree.Decls {
		name := folder
		if f, ok := decl.(*ast.FuncDecl); ok && folder != "fault" {
			name += "/" + f.Name.Name
		}
		if handsOn(name) {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			arg, ok := sayer(folder, call)
			if !ok {
				return true
			}
			where := s.set.Position(call.Pos()).String()
			lit, ok := call.Args[arg].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				wrong = append(wrong, where+": the template of a sentence for people is not written out, so that no catalog can be held against it")
				return true
			}
			id, _ := strconv.Unquote(lit.Value) // the parser has taken it
			if folder == "vpath" {
				id = "the path " + id // vpath.Error.Phrase
			}
			switch {
			case said(id):
				all = append(all, template{id, where})
			case !givesSentences(name):
				wrong = append(wrong, where+": the template has no words of its own: write the sentence out here, or give it a fault.Sentence and name the function in givesSentences")
			}
			return true
		})
	}
	return all, wrong
}

// sayer tells a call of one of the sayers, and which argument is the template.
func sayer(folder string, call *ast.CallExpr) (arg int, ok bool) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = folder + "/" + f.Name
	case *ast.SelectorExpr:
		if on, isName := f.X.(*ast.Ident); isName {
			name = on.Name + "." + f.Sel.Name
		}
	}
	arg, ok = sayers()[name]
	return arg, ok && arg < len(call.Args)
}

// verb is one of fmt's in a template: %s, %[2]d, %.30s.
func verb() *regexp.Regexp { return regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[\d.]*([a-zA-Z%])`) }

// said tells that a template has words of its own: "%s; %s" has none.
func said(id string) bool {
	return regexp.MustCompile(`\pL`).MatchString(verb().ReplaceAllString(id, ""))
}

// verbs are what a template takes, by the place of the argument: "1d 2s".
func verbs(text string) string {
	var all []string
	next := 1
	for _, m := range verb().FindAllStringSubmatch(text, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		all = append(all, fmt.Sprint(next, m[2]))
		next++
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// catalog is all texts of a language.
func catalog(t *testing.T, tag string) map[string]lang.Entry {
	t.Helper()
	all := map[string]lang.Entry{}
	names, err := fs.Glob(os.DirFS("../../lang/catalog"), "*."+tag+".json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		var part map[string]lang.Entry
		if err := json.Unmarshal([]byte(read(t, "lang/catalog/"+name)), &part); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		maps.Copy(all, part)
	}
	return all
}

// TestRefusalsAreTranslated holds each sentence that package fault, a decision or
// a path is told with against the catalogs: a page must not turn English where it
// matters most.
func TestRefusalsAreTranslated(t *testing.T) {
	files, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	var all []template
	for _, f := range files {
		some, wrong := f.templates()
		all = append(all, some...)
		for _, sentence := range wrong {
			t.Error(sentence)
		}
	}
	for _, r := range acl.AllRights() { // acl.Right.Phrase
		all = append(all, template{r.String(), "acl/right.go"})
	}
	if len(all) < 250 {
		t.Fatalf("found %d sentences: has the way to write them changed?", len(all))
	}
	for _, tag := range lang.Tags()[1:] {
		have := catalog(t, tag)
		missing := map[string]bool{}
		for _, x := range all {
			text, ok := have[x.id]
			switch {
			case !ok && !missing[x.id]:
				missing[x.id] = true
				t.Errorf("%s: %q (%s) is in no catalog", tag, x.id, x.where)
			case ok && verbs(text.Other) != verbs(x.id):
				t.Errorf("%s: %q takes %q, want %q as in English (%s)", tag, text.Other, verbs(text.Other), verbs(x.id), x.where)
			}
		}
	}
}

func TestTemplatesAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"package a\nfunc f() { fault.Tell(err, `no %s`, x) }":   "no %s",
		"package a\nvar x = fault.Say(`no`)":                    "no",
		"package a\nfunc f() { fault.Tell(err, `%s; %s.`, x) }": "a/a.go:2:12: the template has no words",
		"package a\nfunc f() { fault.Tell(err, text) }":         "a/a.go:2:12: the template",
		"package a\nfunc f() { fault.Tell(err, `a`+`b`) }":      "a/a.go:2:12: the template",
		"package a\nfunc f() { say(`no`) }":                     "",
	} {
		files, err := load(fstest.MapFS{"a/a.go": {Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		all, wrong := files[0].templates()
		for _, x := range all {
			wrong = append(wrong, x.id)
		}
		got := strings.Join(wrong, "")
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"%s of %d": "1s 2d", "%[2]d von %[1]s": "1s 2d", "%.30s, 100%%": "1s", "none": "", "%s %d": "1s 2d", "%[2]q": "2q"} {
		if got := verbs(text); got != want {
			t.Errorf("verbs(%q) = %q, want %q", text, got, want)
		}
	}
}
