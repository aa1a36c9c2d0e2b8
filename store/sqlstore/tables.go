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
		newTable("audit_keys", "kind, name", "t:kind name lookup b:wrapped"),
		newTable("usage", "workspace", "t:workspace n:bytes counted"),
		newTable("app_passwords", "id", "t:id b:sum t:owner login name workspace f:read_only n:created expires used t:used_from"),
		newTable("sessions", "sum", "b:sum t:owner b:data n:created seen expires"),
		newTable("people", "id", "t:id login name email member_of n:seen"),
		newTable("attempts", "name", "t:name n:count first_at last_at until_at strikes"),
		newTable("changes", "name", "t:name n:count"),
		newTable("grants", "id", "t:id subject path f:dir t:role giver giver_name state n:created until_at opened t:message f:labels t:batch"),
		newTable("links", "id",
			"t:id b:sum t:workspace name contact mode giver giver_name n:created until_at revoked t:password n:version "+
				"f:ask_mail t:allowed f:view_only n:max_downloads downloads f:ask_name subfolders n:max_files max_bytes "+
				"max_file_bytes t:types n:files bytes"),
		newTable("downloads", "id", "t:id link visitor what n:size b:sent n:began seen"),
		newTable("deposits", "id", "t:id path f:gone t:owner subject depositor mail grant_id name n:size t:sha256 n:time b:receipt n:opened t:opened_by"),
		newTable("labels", "owner, path, name", "t:owner path name parent color"),
		newTable("uploads", "id", "t:id owner path n:size taken t:handle b:state n:created expires"),
		newTable("contacts", "workspace, mail", "t:workspace mail name organisation language notes state n:created t:opener opener_name n:invited"),
		newTable("contact_folders", "workspace, mail, path", "t:workspace mail path"),
		newTable("accounts", "id", "t:id mail name password n:changed created f:closed"),
		newTable("tickets", "sum", "b:sum t:kind subject b:data n:created expires"),
		newTable("notices", "id", "t:id recipient mail language event b:data t:batch n:created due tries done t:trouble f:quiet n:read_at f:waits"),
		newTable("noise", "path, name", "t:path name creator etag b:body n:created changed expires"),
		newTable("preferences", "owner", "t:owner language theme muted"),
		newTable("snapshots", "id", "t:id line owner place b:sum n:size b:data n:created used"),
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
