package config

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// entry is a key of a mapping and what stands behind it.
type entry struct {
	key   string
	keyAt value // the key itself, for faults of the name
	value value
}

// entries reads a mapping whose keys the admin chose. Nothing at all is an
// empty mapping, as is left when all below a key is commented out. Of a key
// that comes twice the first counts, and the second is reported.
func (v value) entries() []entry {
	if v.n.Kind != yaml.MappingNode {
		if !v.isNull() {
			v.fault("expected a mapping, found %s; write key: value", describe(v.n))
		}
		return nil
	}
	var all []entry
	lines := map[string]int{}
	for i := 0; i+1 < len(v.n.Content); i += 2 {
		k, val := v.n.Content[i], v.n.Content[i+1]
		keyAt := value{v.l, k, v.name}
		if k.Kind != yaml.ScalarNode {
			keyAt.fault("a key must be text, found %s; write key: value", describe(k))
			continue
		}
		if first, twice := lines[k.Value]; twice {
			keyAt.fault("the key %s stands here for the second time (first on line %d); join the two or remove one", keyAt.shown(), first)
			continue
		}
		lines[k.Value] = k.Line
		all = append(all, entry{k.Value, keyAt, value{v.l, val, strings.TrimPrefix(v.name+"."+k.Value, ".")}})
	}
	return all
}

// fields reads a mapping whose keys the program knows: each is asked for by its
// name, and close reports those that nobody asked for.
type fields struct {
	of    value
	all   []entry
	asked []string
}

// fields begins to read v as a mapping of known keys; call close at the end.
func (v value) fields() *fields { return &fields{of: v, all: v.entries()} }

// get is the value of a key that may be left out.
func (f *fields) get(key string) (value, bool) {
	if !slices.Contains(f.asked, key) {
		f.asked = append(f.asked, key)
	}
	for _, e := range f.all {
		if e.key == key {
			return e.value, true
		}
	}
	return value{}, false
}

// need is the value of a key that must be there.
func (f *fields) need(key, mend string) (value, bool) {
	v, ok := f.get(key)
	if !ok && (f.of.n.Kind == yaml.MappingNode || f.of.isNull()) {
		f.of.fault("the key %s is missing; %s", key, mend)
	}
	return v, ok
}

// text is a text that may be left out.
func (f *fields) text(key, standard string) string {
	if v, ok := f.get(key); ok {
		if s, ok := v.text(); ok {
			return s
		}
	}
	return standard
}

// needText is a text that must be there.
func (f *fields) needText(key, mend string) (string, value, bool) {
	v, ok := f.need(key, mend)
	if !ok {
		return "", v, false
	}
	s, ok := v.text()
	return s, v, ok
}

// bool is a switch, off where it is left out.
func (f *fields) bool(key string) bool {
	v, ok := f.get(key)
	return ok && v.bool()
}

// close reports the keys that nobody asked for.
func (f *fields) close() {
	for _, e := range f.all {
		known := false
		for _, key := range f.asked {
			known = known || key == e.key
		}
		switch {
		case known:
		case e.key == "<<":
			e.keyAt.fault("merge keys (<<) are not taken; write the values out")
		default:
			e.keyAt.fault("%s is not a key here%s; known are %s", e.keyAt.shown(), didYouMean(e.key, f.asked), strings.Join(f.asked, ", "))
		}
	}
}
