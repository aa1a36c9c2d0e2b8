package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// used gathers the ids that code, templates and scripts show, with where: counts
// tells those that count.
func used(t *testing.T) (texts, counts map[string]string) {
	t.Helper()
	texts, counts = map[string]string{}, map[string]string{}
	house := os.DirFS("..")
	err := fs.WalkDir(house, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (name == "internal" || name == "docs" || strings.HasPrefix(d.Name(), ".") && name != "." || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, "_test.go") {
			return nil
		}
		switch path.Ext(name) {
		case ".go":
			return inGo(house, name, texts, counts)
		case ".html":
			return inText(house, name, `(?:\{|\(|\s)t "((?:[^"\\]|\\.)+)"`, `(?:\{|\(|\s)n "((?:[^"\\]|\\.)+)"`, texts, counts)
		case ".js":
			return inText(house, name, `\bt\('([^']+)'`, `\bn\('([^']+)'`, texts, counts)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts, counts
}

func inText(house fs.FS, name, text, count string, texts, counts map[string]string) error {
	b, err := fs.ReadFile(house, name)
	if err != nil {
		return err
	}
	for _, m := range regexp.MustCompile(text).FindAllSubmatch(b, -1) {
		texts[string(m[1])] = name
	}
	for _, m := range regexp.MustCompile(count).FindAllSubmatch(b, -1) {
		counts[string(m[1])] = name
	}
	return nil
}

// inGo takes the first argument of T, N and ID where it is written out.
func inGo(house fs.FS, name string, texts, counts map[string]string) error {
	b, err := fs.ReadFile(house, name)
	if err != nil {
		return err
	}
	tree, err := parser.ParseFile(token.NewFileSet(), name, b, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		lit, isLit := call.Args[0].(*ast.BasicLit)
		if !ok || !isLit || lit.Kind != token.STRING {
			return true
		}
		id, err := strconv.Unquote(lit.Value)
		if err != nil {
			return true
		}
		switch on, _ := fun.X.(*ast.Ident); {
		case fun.Sel.Name == "T", fun.Sel.Name == "ID" && on != nil && on.Name == "lang":
			texts[id] = name
		case fun.Sel.Name == "N":
			counts[id] = name
		}
		return true
	})
	return nil
}

// TestEveryTextIsTranslated wants all that is shown in all languages, and what
// counts with its two forms.
func TestEveryTextIsTranslated(t *testing.T) {
	t.Parallel()
	texts, counts := used(t)
	if len(texts) < 100 || len(counts) < 10 {
		t.Fatalf("found %d texts and %d that count: has the way to write them changed?", len(texts), len(counts))
	}
	for _, tag := range Tags()[1:] {
		have, _ := entries(t, tag)
		for id, where := range texts {
			if _, ok := have[id]; !ok {
				t.Errorf("%s: %s shows %q, which no catalog has", tag, where, id)
			}
		}
	}
	for _, tag := range Tags() {
		have, _ := entries(t, tag)
		for id, where := range counts {
			if have[id].One == "" {
				t.Errorf("%s: %s counts %q, which no catalog has for one", tag, where, id)
			}
		}
	}
}
