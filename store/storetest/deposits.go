package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"portico/store"
	"portico/vpath"
)

func deposit(id, path string, minutes int) store.Deposit {
	return store.Deposit{ID: id, Path: vpath.Must(path), Owner: "ann", Name: "x", Subject: "link:l", Time: at(minutes)}
}

func (s *suite) putDeposits(all ...store.Deposit) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for _, d := range all {
			if err := tx.PutDeposit(d); err != nil {
				return err
			}
		}
		return nil
	})
}

func deposits(s *suite) {
	full := store.Deposit{
		ID: "d1", Path: vpath.Must("/w/in/ü.pdf"), Owner: "ann", Subject: "contact:x@y.example", By: "Zoë", Mail: "x@y.example", Grant: "g",
		Name: "ü.pdf", Size: 1 << 40, SHA256: "00ff", Time: at(0), Receipt: []byte{0, 0xff}, Opened: at(5), OpenedBy: "Ann",
	}
	newer, other := deposit("d2", "/w/in/ü.pdf", 1), deposit("d3", "/w/in/x", 2)
	other.Owner, other.Subject = "bob", full.Subject
	s.putDeposits(newer, full, other)
	s.reopen()
	ctx, list := s.Context(), must[[]store.Deposit](s)
	is(s, "by ID", full)(s.DepositByID(ctx, "d1"))
	none[store.Deposit](s, "by no ID")(s.DepositByID(ctx, "d"))
	is(s, "at", newer)(s.DepositAt(ctx, full.Path))
	none[store.Deposit](s, "at a folder")(s.DepositAt(ctx, vpath.Must("/w/in")))
	s.equal("of", list(s.DepositsOf(ctx, "ann")), []store.Deposit{newer, full})
	s.equal("below", list(s.DepositsBelow(ctx, vpath.Must("/w/in"))), []store.Deposit{other, newer, full})
	s.equal("below another", list(s.DepositsBelow(ctx, vpath.Must("/w/i"))), []store.Deposit{})
	newer.Gone, full.Opened, full.OpenedBy = true, time.Time{}, ""
	s.putDeposits(newer, full)
	is(s, "at, the newest has gone", full)(s.DepositAt(ctx, full.Path))
	s.equal("of, gone ones too", list(s.DepositsOf(ctx, "ann")), []store.Deposit{newer, full})
}

// Of all that came by a link, only the placeholders that stand, in a transaction too.
func placeholders(s *suite) {
	sent, old, held, gone := deposit("a", "/w/a", 1), deposit("b", "/w/b", 2), deposit("c", "/w/c", 3), deposit("d", "/w/d", 4)
	other := deposit("e", "/w/e", 5)
	old.Name, held.Name, gone.Name, other.Name = "", "", "", ""
	gone.Gone, other.Subject = true, "link:l2"
	s.putDeposits(sent, old, held, gone, other)
	s.update(func(tx store.Tx) error {
		got, err := tx.PlaceholdersBy(s.Context(), "link:l")
		s.equal("by a link, in the transaction", got, []store.Deposit{held, old})
		return err
	})
	s.reopen()
	list := must[[]store.Deposit](s)
	s.equal("by a link", list(s.PlaceholdersBy(s.Context(), "link:l")), []store.Deposit{held, old})
	s.equal("by another", list(s.PlaceholdersBy(s.Context(), "link:l2")), []store.Deposit{other})
	s.equal("by none", list(s.PlaceholdersBy(s.Context(), "link:")), []store.Deposit{})
}

func depositsGone(s *suite) {
	a, b, c := deposit("a", "/w/a/x", 1), deposit("b", "/w/b/x", 2), deposit("c", "/w/ab", 3)
	s.putDeposits(a, b, c)
	wants := func(when string, want ...store.Deposit) {
		s.Helper()
		s.equal(when, must[[]store.Deposit](s)(s.DepositsBelow(s.Context(), vpath.Path{})), want)
	}
	// What to had stays, as gone, where it was.
	s.update(func(tx store.Tx) error { return tx.MoveDeposits(vpath.Must("/w/a"), vpath.Must("/w/b")) })
	a.Path, b.Gone = vpath.Must("/w/b/x"), true
	wants("moved", c, b, a)
	is(s, "at", a)(s.DepositAt(s.Context(), a.Path))
	// The history follows its folder.
	s.update(func(tx store.Tx) error { return tx.MoveDeposits(vpath.Must("/w/b"), vpath.Must("/w/c")) })
	a.Path, b.Path = vpath.Must("/w/c/x"), vpath.Must("/w/c/x")
	wants("moved on", c, b, a)
	s.update(func(tx store.Tx) error { return tx.DropDepositsBefore(at(2)) })
	wants("nothing gone is that old", c, b, a)
	s.update(func(tx store.Tx) error { return tx.DropDepositsBefore(at(3)) })
	wants("those that are there stay", c, a)
	s.update(func(tx store.Tx) error { return tx.DepositsGoneBelow(a.Path) })
	a.Gone = true
	wants("gone", c, a)
	none[store.Deposit](s, "at, gone")(s.DepositAt(s.Context(), a.Path))
	s.update(func(tx store.Tx) error { return tx.DropDepositsBefore(at(9)) })
	s.reopen()
	wants("dropped", c)

	// A placeholder goes along, and leaves no history.
	held, gone := deposit("h", "/w/h/x", 4), deposit("i", "/w/i/x", 5)
	held.Name, gone.Name = "", ""
	s.putDeposits(held, gone)
	s.update(func(tx store.Tx) error { return tx.MoveDeposits(vpath.Must("/w/h"), vpath.Must("/w/i")) })
	held.Path = vpath.Must("/w/i/x")
	wants("a placeholder moved over another", held, c)
	s.update(func(tx store.Tx) error { return tx.DepositsGoneBelow(vpath.Must("/w/i")) })
	wants("the placeholder is gone", c)
}

func labels(s *suite) {
	label := func(owner, path, name, color string) store.Label {
		return store.Label{Owner: owner, Path: vpath.Must(path), Name: name, Color: color}
	}
	in := func(owner, p string) []store.Label {
		all := must[[]store.Label](s)(s.LabelsIn(s.Context(), owner, vpath.Must(p)))
		slices.SortFunc(all, func(a, b store.Label) int { return cmp.Or(a.Path.Compare(b.Path), cmp.Compare(a.Name, b.Name)) })
		return all
	}
	w, a, b, x := label("ann", "/w", "top", "red"), label("ann", "/w/a", "äöü", "red"), label("ann", "/w/a", "urgent", "blue"), label("ann", "/w/a/x", "urgent", "green")
	bob, root := label("bob", "/w/a", "urgent", "red"), label("ann", "/", "all", "red")
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutLabel(w), tx.PutLabel(b), tx.PutLabel(a), tx.PutLabel(x), tx.PutLabel(bob), tx.PutLabel(root),
			tx.PutLabel(label("ann", "/w/ab/x", "other", "red")))
	})
	s.reopen()
	s.equal("in /w", in("ann", "/w"), []store.Label{w, b, a})
	s.equal("in /w/a", in("ann", "/w/a"), []store.Label{b, a, x})
	s.equal("in a file", in("ann", "/w/a/x"), []store.Label{x})
	s.equal("in the root", in("ann", "/"), []store.Label{root, w})
	s.equal("of bob", in("bob", "/w"), []store.Label{bob})
	s.equal("of nobody", in("an", "/w"), []store.Label{})
	b.Color = "grey"
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutLabel(b), tx.DropLabel("ann", a.Path, a.Name), tx.DropLabel("ann", vpath.Must("/w"), "urgent"))
	})
	s.equal("changed", in("ann", "/w/a"), []store.Label{b, x})
	s.equal("bob's stays", in("bob", "/w"), []store.Label{bob})
	// A folder's labels and its members' follow it, whoever's they are, with their place below it.
	s.update(func(tx store.Tx) error { return tx.MoveLabels(vpath.Must("/w/a"), vpath.Must("/v/t")) })
	b.Path, x.Path, bob.Path = vpath.Must("/v/t"), vpath.Must("/v/t/x"), vpath.Must("/v/t")
	s.equal("moved", in("ann", "/v/t"), []store.Label{b, x})
	s.equal("moved, from above", in("bob", "/v"), []store.Label{bob})
	s.equal("nothing stays", in("ann", "/w"), []store.Label{w})
}

func uploads(s *suite) {
	full := store.Upload{
		ID: "u1", Owner: "ann", Path: vpath.Must("/w/ü"), Size: -1, Offset: 1 << 40, Handle: "h/1", State: []byte{0, 1, 0xff},
		Created: at(1), Expires: at(10),
	}
	second := store.Upload{ID: "u2", Owner: "ann", Path: vpath.Must("/w/x"), Size: 5, Created: at(0), Expires: at(20)}
	third := store.Upload{ID: "u3", Owner: "bob", Created: at(2), Expires: at(5)}
	// Of a link's visitors; those of neighbours in the order of names are not among them.
	one := store.Upload{ID: "u4", Owner: "link:l1/v2", Path: vpath.Must("/w/a"), Created: at(4), Expires: at(50)}
	two := store.Upload{ID: "u5", Owner: "link:l1/?", Path: vpath.Must("/w/b"), Created: at(3), Expires: at(50)}
	s.update(func(tx store.Tx) error {
		err := errors.Join(tx.PutUpload(full), tx.PutUpload(second), tx.PutUpload(third), tx.PutUpload(one), tx.PutUpload(two))
		for i, owner := range []string{"link:l1", "link:l10/v2", "link:l1.", "link:l10", "link:l/v2", "contact:l1/v2"} {
			err = errors.Join(err, tx.PutUpload(store.Upload{ID: fmt.Sprint("n", i), Owner: owner, Created: at(6), Expires: at(200)}))
		}
		got, gotErr := tx.UploadsOfAll(s.Context(), "link:l1")
		s.equal("of a link, in the transaction", got, []store.Upload{two, one})
		return errors.Join(err, gotErr)
	})
	s.reopen()
	ctx, list := s.Context(), must[[]store.Upload](s)
	is(s, "by ID", full)(s.UploadByID(ctx, "u1"))
	none[store.Upload](s, "by no ID")(s.UploadByID(ctx, "u"))
	s.equal("of", list(s.UploadsOf(ctx, "ann")), []store.Upload{second, full})
	s.equal("of a link", list(s.UploadsOfAll(ctx, "link:l1")), []store.Upload{two, one})
	s.equal("of a link without any", list(s.UploadsOfAll(ctx, "link:none")), []store.Upload{})
	s.equal("none expired", list(s.UploadsExpired(ctx, at(5).Add(-time.Microsecond))), []store.Upload{})
	s.equal("expired", list(s.UploadsExpired(ctx, at(10))), []store.Upload{full, third})
	full.Offset, full.State, full.Expires = 1<<41, nil, at(30)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutUpload(full), tx.DropUpload("u3"), tx.DropUpload("none"))
	})
	s.equal("all", list(s.UploadsExpired(ctx, at(99))), []store.Upload{second, full, two, one})
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutUpload(third), tx.DropUploadsOf("ann"), tx.DropUploadsOf("nobody"))
	})
	s.equal("those of others", list(s.UploadsExpired(ctx, at(99))), []store.Upload{third, two, one})
}
