package audit

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"portico/store"
	"portico/vpath"
)

// Filter chooses rows. The zero value takes all.
type Filter struct {
	From, To time.Time // at From or later, before To; zero for no bound
	User     string    // a login, an id or a pseudonym
	Path     string    // a path: what it names and all below, as source or as destination
}

// filter is a Filter that has been read.
type filter struct {
	Filter
	path vpath.Path
}

func (f filter) takes(r Row) bool {
	switch {
	case !f.From.IsZero() && r.Time.Before(f.From), !f.To.IsZero() && !r.Time.Before(f.To):
		return false
	case f.User != "" && f.User != r.Actor.ID && f.User != r.Actor.Login && f.User != r.Actor.Pseudonym:
		return false
	}
	return f.Path == "" || f.under(r.Path) || f.under(r.Dest)
}

// under goes by the elements of a path: /a does not take /ab.
func (f filter) under(path string) bool {
	p, err := vpath.Parse(path)
	return err == nil && f.path.Contains(p)
}

// Export writes the rows that a filter takes, of all streams, by time: each as
// JSON with its hash, or as CSV. With an Opener what is sealed can be read;
// without one the JSON is what a File sink writes, which can be verified.
func Export(ctx context.Context, r store.AuditReader, o *Opener, f Filter, asCSV bool, w io.Writer) error {
	chosen := filter{Filter: f}
	if f.Path != "" {
		var err error
		if chosen.path, err = vpath.Parse(f.Path); err != nil {
			return fmt.Errorf("audit: export: %w", err)
		}
	}
	out := bufio.NewWriter(w)
	write := jsonLines(out)
	if asCSV {
		write = commaLines(out)
	}
	err := eachRow(ctx, r, o, func(stored store.AuditRow, row Row) error {
		if !chosen.takes(row) {
			return nil
		}
		return write(stored, row)
	})
	if err != nil {
		return fmt.Errorf("audit: export: %w", err)
	}
	return out.Flush()
}

// eachRow reads all streams by time, opened if there is an Opener.
func eachRow(ctx context.Context, r store.AuditReader, o *Opener, take func(store.AuditRow, Row) error) error {
	rows, err := openRows(ctx, r)
	if err != nil {
		return err
	}
	for {
		row, ok, err := rows.next(ctx)
		if err != nil || !ok {
			return err
		}
		decoded, err := o.orDecode(ctx, row)
		if err != nil {
			return fmt.Errorf("stream %q, row %d: %w; portico audit verify tells more", row.Stream, row.Seq, err)
		}
		if err := take(row, decoded); err != nil {
			return err
		}
	}
}

// merge reads all streams at once, and gives the oldest row first.
type merge struct {
	from  store.AuditReader
	parts []*part
}

// part is what was read of one stream and not given yet.
type part struct {
	stream   string
	at, upto int64
	rows     []store.AuditRow
}

func openRows(ctx context.Context, r store.AuditReader) (*merge, error) {
	streams, err := r.AuditStreams(ctx)
	if err != nil {
		return nil, err
	}
	m := &merge{from: r}
	for _, s := range streams {
		m.parts = append(m.parts, &part{stream: s.Name, upto: s.Last})
	}
	return m, nil
}

func (m *merge) next(ctx context.Context) (store.AuditRow, bool, error) {
	var oldest *part
	for _, p := range m.parts {
		if err := p.fill(ctx, m.from); err != nil {
			return store.AuditRow{}, false, err
		}
		if len(p.rows) > 0 && (oldest == nil || p.rows[0].Time.Before(oldest.rows[0].Time)) {
			oldest = p
		}
	}
	if oldest == nil {
		return store.AuditRow{}, false, nil
	}
	row := oldest.rows[0]
	oldest.rows = oldest.rows[1:]
	return row, true, nil
}

// fill reads on when all has been given.
func (p *part) fill(ctx context.Context, r store.AuditReader) (err error) {
	if len(p.rows) > 0 || p.at >= p.upto {
		return nil
	}
	if p.rows, err = r.AuditRows(ctx, p.stream, p.at, sendEach); err != nil {
		return err
	}
	if len(p.rows) == 0 {
		p.at = p.upto
		return nil
	}
	p.at = p.rows[len(p.rows)-1].Seq
	return nil
}

func jsonLines(w *bufio.Writer) func(store.AuditRow, Row) error {
	return func(row store.AuditRow, r Row) error {
		if r.Opened {
			var err error
			if row.JSON, err = encode(r); err != nil {
				return err
			}
		}
		if _, err := w.Write(Line(row)); err != nil {
			return err
		}
		return w.WriteByte('\n')
	}
}

// columns are those of the CSV, in order.
func columns() []string {
	return []string{
		"ts", "replica", "seq", "request_id", "actor_type", "actor_id", "actor_name", "via", "key", "src_ip", "ua", "action",
		"path", "dest", "allowed", "why", "rule", "error", "bytes", "sha256", "policy_epoch", "hash", "pseudonym",
	}
}

func commaLines(w io.Writer) func(store.AuditRow, Row) error {
	out := csv.NewWriter(w)
	headed := false
	return func(row store.AuditRow, r Row) error {
		if !headed {
			headed = true
			if err := out.Write(columns()); err != nil {
				return err
			}
		}
		record := []string{
			r.Time.UTC().Format(time.RFC3339Nano), r.Replica, strconv.FormatInt(r.Seq, 10), r.RequestID, string(r.Actor.Type), r.Actor.ID,
			r.Actor.Login, r.Actor.Via, r.Actor.Key, r.Address, r.Agent, string(r.Action),
			r.Path, r.Dest, strconv.FormatBool(r.Allowed), r.Why, r.Rule, r.Error, strconv.FormatInt(r.Bytes, 10), r.SHA256, r.Epoch,
			hex.EncodeToString(row.Hash), r.Actor.Pseudonym,
		}
		for i, cell := range record {
			record[i] = harmless(cell)
		}
		if err := out.Write(record); err != nil {
			return err
		}
		out.Flush() // to the buffer below
		return out.Error()
	}
}

// harmless makes a cell one that no spreadsheet takes for a formula (OWASP, "CSV
// Injection"): the apostrophe is a spreadsheet's own mark of text. The full-width
// signs count in Japanese versions. Control characters are shown as in JSON.
func harmless(cell string) string {
	cell = string(escape([]byte(strings.Map(visible, cell))))
	if cell != "" && strings.ContainsRune("=+-@\t＝＋－＠", []rune(cell)[0]) {
		return "'" + cell
	}
	return cell
}

// visible makes the ASCII controls, which escape leaves to encoding/json, the
// pictures that Unicode has of them (U+2400). A tab stays, behind an apostrophe.
func visible(r rune) rune {
	if r < ' ' && r != '\t' {
		return r + 0x2400
	}
	return r
}
