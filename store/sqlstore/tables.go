package sqlstore

import "strings"

// table is one whose rows are copied from one database to another.
type table struct {
	name    string
	columns []column
	order   string
}

// column is one and its kind: databases have different Go values for a boolean,
// and for bytes of length 0.
type column struct {
	name string
	kind byte // 't'ext, 'n'umber, 'f'lag, 'b'ytes, 'o' bytes or NULL
}

// tables are all but those that belong to the database itself. The numbers of
// moves and intents are its own too: the order of the rows is what counts.
func tables() []table {
	return []table{
		newTable("locks", "token", "t:token path f:infinite shared t:holder holder_as owner_xml n:created expires term"),
		newTable("props", "path, space, local", "t:path space local parent xml"),
		newTable("moves", "number", "t:id source target f:dir t:phase n:began o:audit"),
		newTable("intents", "number", "t:id replica n:began o:audit"),
		newTable("audit", "stream, seq", "t:stream n:seq time t:json b:hash"),
		newTable("audit_cuts", "stream, seq", "t:stream n:seq b:hash n:time b:signature"),
		newTable("audit_sinks", "sink, stream", "t:sink stream n:seq"),
		newTable("usage", "workspace", "t:workspace n:bytes counted"),
		newTable("app_passwords", "id", "t:id b:sum t:owner login name workspace f:read_only n:created expires used t:used_from"),
		newTable("sessions", "sum", "b:sum t:owner b:data n:created seen expires"),
		newTable("people", "id", "t:id login name email member_of n:seen"),
		newTable("attempts", "name", "t:name n:count first_at last_at until_at strikes"),
	}
}

// newTable reads columns written as "kind:name name … kind:name".
func newTable(name, order, columns string) table {
	t := table{name: name, order: order}
	var kind byte
	for word := range strings.FieldsSeq(columns) {
		if len(word) > 2 && word[1] == ':' {
			kind, word = word[0], word[2:]
		}
		t.columns = append(t.columns, column{word, kind})
	}
	return t
}

func (t table) names() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

func (t table) selectAll() string {
	return `SELECT ` + t.names() + ` FROM ` + t.name + ` ORDER BY ` + t.order
}
