package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// maxLines is the length of the longest file of product code, comments
// included. The linter's own limit leaves comments out.
const maxLines = 400

// source is one file that is not a test.
type source struct {
	path  string
	lines int
	set   *token.FileSet
	tree  *ast.File
}

// load parses all Go files that are not tests. Files are read here and not by
// the go command, so that the test cache sees when one changes.
func load(fsys fs.FS) ([]source, error) {
	var files []source
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || p == "bin" || p == "data") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, p, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, source{p, bytes.Count(text, []byte("\n")), set, tree})
		return nil
	})
	return files, err
}

func (s source) imports() []string {
	var list []string
	for _, spec := range s.tree.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has refused it
		}
		list = append(list, imp)
	}
	return list
}

// faults answers with a sentence for each thing in the file that the project
// forbids and no linter looks for.
func (s source) faults() []string {
	var out []string
	say := func(at token.Pos, format string, args ...any) {
		out = append(out, s.set.Position(at).String()+": "+fmt.Sprintf(format, args...))
	}
	if s.lines > maxLines {
		say(s.tree.Package, "%d lines, %d are the most: give a part of it a file of its own", s.lines, maxLines)
	}
	ast.Inspect(s.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				say(n.Pos(), "func init: let the caller do it, in an order that can be read")
			}
		case *ast.SelectorExpr:
			if n.Sel.Name == "AddInsecureBypassPattern" {
				say(n.Pos(), "CrossOriginProtection has no bypass here (THREATS.md §4.3)")
			}
		case *ast.ImportSpec:
			if n.Name != nil && n.Name.Name == "." {
				say(n.Pos(), "an import into the file's own scope")
			}
		}
		return true
	})
	return out
}

func TestForbiddenCode(t *testing.T) {
	files, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, fault := range f.faults() {
			t.Error(fault)
		}
	}
}

func TestPlantedCodeIsCaught(t *testing.T) {
	for text, want := range map[string]string{
		"package a\nfunc init() {}":                                "a/a.go:2:1: func init",
		"package a\nfunc f() { p.AddInsecureBypassPattern(`/x`) }": "a/a.go:2:12: CrossOriginProtection",
		"package a\nimport . \"fmt\"":                              "a/a.go:2:8: an import",
		"package a" + strings.Repeat("\n", maxLines+1):             "401 lines",
	} {
		files, err := load(fstest.MapFS{"a/a.go": {Data: []byte(text)}})
		if err != nil || len(files) != 1 {
			t.Fatalf("load = %d files, %v", len(files), err)
		}
		if got := files[0].faults(); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%.60q: the checker says %q, want %q", text, got, want)
		}
	}
	const clean = "package a\ntype t int\nfunc (t) init() {}\nfunc initial() {}\n"
	files, err := load(fstest.MapFS{"a/a.go": {Data: []byte(clean)}})
	if err != nil || len(files) != 1 || len(files[0].faults()) > 0 {
		t.Errorf("the checker complains of clean code: %q, %v", files[0].faults(), err)
	}
}
