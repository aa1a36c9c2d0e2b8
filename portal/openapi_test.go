package portal_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// document is the OpenAPI document, as far as the tests read it.
type document struct {
	OpenAPI string
	Paths   map[string]map[string]operation
	schemas *jsonschema.Compiler
}

type operation struct {
	OperationID string           `yaml:"operationId"`
	Parameters  []map[string]any `yaml:"parameters"`
	Security    *[]any           `yaml:"security"`
	RequestBody map[string]any   `yaml:"requestBody"`
	Responses   map[string]any   `yaml:"responses"`
}

// documentAt is where the document is for the checker of schemas.
const documentAt = "mem:///openapi.json"

func (o *office) document() *document {
	o.Helper()
	got := o.do(call{method: "GET", path: "/api/v1/openapi.yaml"})
	if got.status != 200 || got.header.Get("Content-Type") != "application/yaml" {
		o.Fatalf("the document: %d as %q", got.status, got.header.Get("Content-Type"))
	}
	d := &document{schemas: jsonschema.NewCompiler()}
	o.ok(yaml.Unmarshal([]byte(got.text), d))
	var whole any
	o.ok(yaml.Unmarshal([]byte(got.text), &whole))
	b, err := json.Marshal(whole)
	o.ok(err)
	plain, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	o.ok(err)
	d.schemas.DefaultDraft(jsonschema.Draft2020) // which OpenAPI 3.1 says
	d.schemas.AssertFormat()
	o.ok(d.schemas.AddResource(documentAt, plain))
	return d
}

// escape makes a step of a JSON pointer.
func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(s)
}

// fits holds an answer against the schema that the document has for it.
func (d *document) fits(path, method string, a answer) error {
	op, ok := d.Paths[path][strings.ToLower(method)]
	if !ok {
		return fmt.Errorf("%s %s is not in the document", method, path)
	}
	response, ok := op.Responses[strconv.Itoa(a.status)].(map[string]any)
	if !ok {
		return fmt.Errorf("%s %s answers %d, which the document does not have: %s", method, path, a.status, a.text)
	}
	pointer := fmt.Sprintf("%s#/paths/%s/%s/responses/%d", documentAt, escape(path), strings.ToLower(method), a.status)
	if ref, ok := response["$ref"].(string); ok {
		pointer = documentAt + ref
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if !strings.HasSuffix(kind, "json") {
		return nil
	}
	s, err := d.schemas.Compile(pointer + "/content/" + escape(kind) + "/schema")
	if err != nil {
		return fmt.Errorf("%s %s: %d as %s: %w", method, path, a.status, kind, err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(a.text))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %d: %w\n%s", method, path, a.status, err, a.text)
	}
	return nil
}

// documented turns a pattern of net/http into the document's words.
func documented(pattern string) (method, path string, ok bool) {
	method, path, ok = strings.Cut(pattern, " ")
	path, isAPI := strings.CutPrefix(path, "/api/v1")
	return method, strings.ReplaceAll(path, "...}", "}"), ok && isAPI
}

// TestOpenAPI holds the document against the routes: all that it names are there,
// and all that are there it names.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.document()
	if !strings.HasPrefix(d.OpenAPI, "3.1.") {
		t.Errorf("openapi %q", d.OpenAPI)
	}
	var there, named []string
	anyone := map[string]bool{}
	for _, r := range o.routes {
		if method, path, ok := documented(r.Pattern); ok {
			there = append(there, method+" "+path)
			anyone[method+" "+path] = r.Needs == 1 // web.Anyone
		}
	}
	ids := map[string]string{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			name := strings.ToUpper(method) + " " + path
			named = append(named, name)
			if other := ids[op.OperationID]; op.OperationID == "" || other != "" {
				t.Errorf("%s has the operationId %q, which %s has too", name, op.OperationID, other)
			}
			ids[op.OperationID] = name
			if open := op.Security != nil && len(*op.Security) == 0; open != anyone[name] {
				t.Errorf("%s: for anyone in the document: %v, in the router: %v", name, open, anyone[name])
			}
			checkParameters(t, name, path, op)
		}
	}
	slices.Sort(there)
	slices.Sort(named)
	if d := cmp.Diff(there, named); d != "" {
		t.Errorf("routes and document (-routes +document):\n%s", d)
	}
}

// checkParameters wants each parameter of a path described, and no other.
func checkParameters(t *testing.T, name, path string, op operation) {
	t.Helper()
	var want, got []string
	for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
		want = append(want, m[1])
	}
	for _, p := range op.Parameters {
		ref, _ := p["$ref"].(string)
		if p["in"] == "path" {
			got = append(got, fmt.Sprint(p["name"]))
		} else if strings.HasSuffix(ref, "/path") {
			got = append(got, "path")
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%s: the document has the parameters %q, the path %q", name, got, want)
	}
}

// TestOpenAPISchemas compiles all schemas, so that none has a reference to nothing.
func TestOpenAPISchemas(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.document()
	for path, methods := range d.Paths {
		for method, op := range methods {
			for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
				response, _ := op.Responses[status].(map[string]any)
				if ref, ok := response["$ref"].(string); ok {
					if _, err := d.schemas.Compile(documentAt + ref + "/content/" + escape("application/problem+json") + "/schema"); err != nil {
						t.Errorf("%s %s %s: %v", method, path, status, err)
					}
				}
			}
			content, _ := op.RequestBody["content"].(map[string]any)
			if _, ok := content["application/json"]; ok {
				s, err := d.schemas.Compile(documentAt + "#/paths/" + escape(path) + "/" + method + "/requestBody/content/" + escape("application/json") + "/schema")
				if err != nil {
					t.Errorf("%s %s: %v", method, path, err)
				} else if s.Ref != nil && s.Ref.AdditionalProperties != false {
					t.Errorf("%s %s: the body may hold more than is named", method, path)
				}
			}
		}
	}
}
