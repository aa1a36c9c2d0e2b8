package acltest

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// File is a case file: rules in the config's words, what lies in the
// workspaces, and a table of questions with their answers.
//
//	about: what the file shows
//	groups, roles, workspaces: as in a config
//	shares:   grants of the state store: {path, subject, role, giver, until}
//	people:   {ann: {groups: [names that the directory gives], guest: true}};
//	          who is only named in the table is plain staff
//	tree:     what lies there: path: creator; folders end in /, "" is a creator that nobody knows
//	cases:    [who, may, path, yes or no, deciding lines]
//
// A rule is marked with a comment, as in "# [A]", and the deciding lines of a
// case are such marks. "may" is a right or "see". A path that is not in the tree is a
// new thing, whose creator nobody knows.
type File struct {
	Name  string
	About string
	Rules Rules
	Tree  []Thing
	Cases []Case
}

// Case is one question.
type Case struct {
	Line  int    // in the file
	Who   string // a subject
	May   string // a right's word, or "see"
	Thing Thing
	Want  bool
	By    []int // the deciding lines, in the order of the file; nil where no rule decides
}

// written is a case file as YAML has it.
type written struct {
	About  string
	Rules  `yaml:",inline"`
	Shares []Share
	People map[string]Person
	Tree   map[string]string
	Cases  []yaml.Node
}

// Load reads all case files of a folder.
func Load(dir fs.FS) ([]File, error) {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("acltest: load: no case files (%w)", err)
	}
	var files []File
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("acltest: load: %w", err)
		}
		f, err := parse(name, text)
		if err != nil {
			return nil, fmt.Errorf("acltest: load: %s: %w", name, err)
		}
		files = append(files, f)
	}
	return files, nil
}

func parse(name string, text []byte) (File, error) {
	var w written
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&w); err != nil {
		return File{}, err
	}
	f := File{Name: name, About: w.About, Rules: w.Rules}
	f.Rules.Shares = w.Shares
	f.Rules.People = map[string]Person{}
	for who, p := range w.People {
		f.Rules.People[fullSubject(who)] = p
	}
	for i, s := range f.Rules.Shares {
		f.Rules.Shares[i].Giver = f.person(s.Giver)
	}
	for _, path := range sorted(w.Tree) {
		f.Tree = append(f.Tree, Thing{strings.TrimSuffix(path, "/"), strings.HasSuffix(path, "/"), f.person(w.Tree[path])})
	}
	var err error
	if f.Rules.Lines, err = ruleLines(text); err != nil {
		return File{}, err
	}
	marks := markedLines(text)
	for _, row := range w.Cases {
		c, err := f.row(&row, marks)
		if err != nil {
			return File{}, fmt.Errorf("line %d: %w", row.Line, err)
		}
		f.Cases = append(f.Cases, c)
	}
	return f, nil
}

// person makes a name of the file a subject that is known to the rules.
func (f *File) person(name string) string {
	if name == "" {
		return ""
	}
	who := fullSubject(name)
	if _, known := f.Rules.People[who]; !known {
		f.Rules.People[who] = Person{}
	}
	return who
}

// row reads one case.
func (f *File) row(node *yaml.Node, marks map[string]int) (Case, error) {
	var cells []string
	if err := node.Decode(&cells); err != nil {
		return Case{}, err
	}
	if len(cells) < 4 || len(cells) > 5 || cells[3] != "yes" && cells[3] != "no" {
		return Case{}, fmt.Errorf("want [who, may, path, yes or no, deciding lines], have %q", cells)
	}
	c := Case{
		Line: node.Line, Who: f.person(cells[0]), May: cells[1], Want: cells[3] == "yes",
		Thing: Thing{Path: strings.TrimSuffix(cells[2], "/"), Dir: strings.HasSuffix(cells[2], "/")},
	}
	if c.Thing.Path == "" {
		c.Thing.Path = "/"
	}
	for _, thing := range f.Tree {
		if thing.Path == c.Thing.Path {
			c.Thing = thing
		}
	}
	for mark := range strings.FieldsSeq(strings.Join(cells[4:], "")) {
		line, known := marks[mark]
		if !known {
			return Case{}, fmt.Errorf("no line is marked [%s]", mark)
		}
		c.By = append(c.By, line)
	}
	return c, nil
}

// markedLines finds the comments "# [A]".
func markedLines(text []byte) map[string]int {
	mark := regexp.MustCompile(`#\s*\[(\w+)\]`)
	lines := map[string]int{}
	for i, line := range bytes.Split(text, []byte("\n")) {
		if m := mark.FindSubmatch(line); m != nil {
			lines[string(m[1])] = i + 1
		}
	}
	return lines
}

// ruleLines finds the line of each rule of the workspaces.
func ruleLines(text []byte) (map[string]int, error) {
	var doc struct {
		Workspaces map[string]struct {
			Folders yaml.Node
		}
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	lines := map[string]int{}
	for name, w := range doc.Workspaces {
		for key, folder := range pairs(&w.Folders) {
			path := strings.TrimSuffix("/"+name+key.Value, "/")
			lines[ruleKey(path, "folder", "")] = key.Line
			for kind, subjects := range pairs(folder) {
				for subject := range pairs(subjects) {
					lines[ruleKey(path, kind.Value, subject.Value)] = subject.Line
				}
			}
		}
	}
	return lines, nil
}

// pairs are the keys and values of a mapping; another node has none.
func pairs(node *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i], node.Content[i+1]) {
				return
			}
		}
	}
}

// UnmarshalYAML reads a share's time too, which is optional.
func (s *Share) UnmarshalYAML(node *yaml.Node) error {
	var raw struct {
		Path, Subject, Role, Giver string
		Until                      *time.Time
	}
	if err := node.Decode(&raw); err != nil {
		return err
	}
	*s = Share{Path: raw.Path, Subject: raw.Subject, Role: raw.Role, Giver: raw.Giver}
	if raw.Until != nil {
		s.Until = *raw.Until
	}
	return nil
}
