package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"portico/store"
	"portico/vpath"
)

const (
	contactColumns = `workspace, mail, name, organisation, language, notes, state, created, opener, opener_name, invited`

	// A contact has a row for each of its folders, or one where it has none.
	contacts = `SELECT c.workspace, c.mail, c.name, c.organisation, c.language, c.notes, c.state, c.created, c.opener, c.opener_name, c.invited, f.path
		FROM contacts AS c LEFT JOIN contact_folders AS f ON f.workspace = c.workspace AND f.mail = c.mail WHERE `

	sqlContactByMail = contacts + `c.workspace = $1 AND c.mail = $2`
	sqlContactsIn    = contacts + `c.workspace = $1 ORDER BY c.name, c.mail`
	sqlContactsOf    = contacts + `c.mail = $1 ORDER BY c.workspace`

	sqlDropContact = `DELETE FROM contacts WHERE workspace = $1 AND mail = $2`

	sqlPutFolder      = `INSERT INTO contact_folders (workspace, mail, path) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	sqlDropFoldersOf  = `DELETE FROM contact_folders WHERE workspace = $1 AND mail = $2`
	sqlDropFoldersIn  = `DELETE FROM contact_folders` + inTree
	sqlMoveFoldersFor = `UPDATE contact_folders` + setMovedTo
)

// contactRow is a contact with one of its folders.
type contactRow struct {
	store.Contact
	folder sql.NullString
}

func scanContact(row scanner) (c contactRow, err error) {
	return c, row.Scan(&c.Workspace, &c.Mail, &c.Name, &c.Organisation, &c.Language, &c.Notes, &c.State,
		moment{&c.Created}, &c.By, &c.ByName, moment{&c.Invited}, &c.folder)
}

func (r reader) contacts(ctx context.Context, query string, args ...any) ([]store.Contact, error) {
	rows, err := collect(ctx, r.on, query, scanContact, args...)
	if err != nil {
		return nil, err
	}
	var all []store.Contact
	for _, row := range rows {
		if n := len(all); n == 0 || all[n-1].Workspace != row.Workspace || all[n-1].Mail != row.Mail {
			all = append(all, row.Contact)
		}
		if !row.folder.Valid {
			continue
		}
		folder, err := unkey(row.folder.String)
		if err != nil {
			return nil, r.on.failed(ctx, err)
		}
		last := &all[len(all)-1]
		last.Folders = append(last.Folders, folder)
	}
	for _, c := range all {
		slices.SortFunc(c.Folders, vpath.Path.Compare)
	}
	return all, nil
}

// ContactByMail is of store.ContactReader.
func (r reader) ContactByMail(ctx context.Context, workspace, mail string) (store.Contact, bool, error) {
	all, err := r.contacts(ctx, sqlContactByMail, workspace, mail)
	if err != nil || len(all) == 0 {
		return store.Contact{}, false, err
	}
	return all[0], true, nil
}

// ContactsIn is of store.ContactReader.
func (r reader) ContactsIn(ctx context.Context, workspace string) ([]store.Contact, error) {
	return r.contacts(ctx, sqlContactsIn, workspace)
}

// ContactsOf is of store.ContactReader.
func (r reader) ContactsOf(ctx context.Context, mail string) ([]store.Contact, error) {
	return r.contacts(ctx, sqlContactsOf, mail)
}

// PutContact is of store.ContactWriter.
func (x *tx) PutContact(c store.Contact) error {
	const step = "put contact"
	if err := x.put(step, "contacts", 2, contactColumns, c.Workspace, c.Mail, c.Name, c.Organisation, c.Language, c.Notes, string(c.State),
		c.Created.UnixMicro(), c.By, c.ByName, c.Invited.UnixMicro()); err != nil {
		return err
	}
	if err := x.do(step, sqlDropFoldersOf, c.Workspace, c.Mail); err != nil {
		return err
	}
	for _, p := range c.Folders {
		if err := x.do(step, sqlPutFolder, c.Workspace, c.Mail, key(p)); err != nil {
			return err
		}
	}
	return nil
}

// DropContact is of store.ContactWriter.
func (x *tx) DropContact(workspace, mail string) error {
	if err := x.do("drop contact", sqlDropFoldersOf, workspace, mail); err != nil {
		return err
	}
	return x.do("drop contact", sqlDropContact, workspace, mail)
}

// MoveContactFolders is of store.ContactWriter. It refuses what MoveProps refuses,
// and what to had is dropped first: that folder has been replaced.
func (x *tx) MoveContactFolders(from, to vpath.Path) error {
	ok, err := x.moves("move contact folders", from, to)
	if err != nil || !ok {
		return err
	}
	if err := x.DropContactFolders(to); err != nil {
		return err
	}
	return x.do("move contact folders", sqlMoveFoldersFor, moved(from, to)...)
}

// DropContactFolders is of store.ContactWriter.
func (x *tx) DropContactFolders(p vpath.Path) error {
	from, to := below(p)
	return x.do("drop contact folders", sqlDropFoldersIn, from, to)
}
