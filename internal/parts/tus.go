package parts

import (
	"bytes"
	_ "embed" // of the client's script
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed tus.mjs
var tusScript string

// TusUpload is what a client of resumable uploads shall do.
type TusUpload struct {
	Endpoint    string            `json:"endpoint"`
	File        string            `json:"file"`
	Metadata    map[string]string `json:"metadata"`
	URLs        string            `json:"urls"` // the file in which it remembers uploads
	ChunkSize   int64             `json:"chunkSize,omitempty"`
	Deferred    bool              `json:"deferred,omitempty"`    // the size is told with the last piece
	Early       bool              `json:"early,omitempty"`       // the first piece goes with the creation
	Resume      bool              `json:"resume,omitempty"`      // go on with the one that is remembered
	ExitAt      int64             `json:"exitAt,omitempty"`      // die when so many bytes in chunks were acknowledged
	TerminateAt int64             `json:"terminateAt,omitempty"` // cancel it then
}

// TusResult is what became of it.
type TusResult struct {
	URL        string   `json:"url"`
	Path       string   `json:"path"`     // Portico-Path of the last answer
	Requests   []string `json:"requests"` // "PATCH 204"
	Terminated bool     `json:"terminated"`
	Error      string   `json:"error"`
	Status     int      `json:"status"`
	Body       string   `json:"body"`
	Died       bool     `json:"-"` // by ExitAt
}

// Tus runs tus-js-client, the protocol's own client, in a process of Node.
func Tus(tb testing.TB, u TusUpload) (result TusResult) {
	tb.Helper()
	dir, err := toolsDir()
	if err != nil {
		tb.Fatal(err)
	}
	module := filepath.Join(dir, "tus-js-client")
	if _, err := os.Stat(filepath.Join(module, "node_modules")); err != nil {
		tb.Fatalf("%v", &missingError{"tus-js-client", dir})
	}
	settings, err := json.Marshal(u)
	if err != nil {
		tb.Fatal(err)
	}
	//nolint:gosec // of a test
	cmd := exec.CommandContext(tb.Context(), Tool(tb, "node"), "--input-type=module", "--eval", tusScript, "--", module, string(settings))
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	if u.ExitAt > 0 && cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == tusDied {
		return TusResult{Died: true}
	}
	if err != nil {
		tb.Fatalf("tus-js-client: %v\n%s%s", err, &out, &complaints)
	}
	if err := json.Unmarshal(bytes.TrimSpace(out.Bytes()), &result); err != nil {
		tb.Fatalf("tus-js-client: %v\n%s", err, &out)
	}
	return result
}

// tusDied is how the script ends where it is to die.
const tusDied = 7
