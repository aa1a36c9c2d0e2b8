package audit

import (
	"cmp"
	"context"
	"fmt"

	"portico/store"
)

// Opener reads rows with their seals open. It remembers keys, those too that
// are not there: it is for one reading of the log, and not for a server's life.
type Opener struct {
	keys  *Keys
	from  store.AuditKeyReader
	boxes map[string]*box // by kind and name; nil for one that was destroyed
}

// NewOpener makes an Opener. The keys must be those of the secret.
func NewOpener(k *Keys, from store.AuditKeyReader) *Opener {
	return &Opener{keys: k, from: from, boxes: map[string]*box{}}
}

// Open decodes a row, sealed or not. What was erased is shown so: the actor as
// the pseudonym, with the name "erased".
func (o *Opener) Open(ctx context.Context, row store.AuditRow) (Row, error) {
	r, err := DecodeRow(row.JSON)
	if err != nil {
		return Row{}, err
	}
	if err := o.open(ctx, &r); err != nil {
		return Row{}, fmt.Errorf("audit: open: %w", err)
	}
	return r, nil
}

// orDecode is Open, and for nil what the row shows by itself.
func (o *Opener) orDecode(ctx context.Context, row store.AuditRow) (Row, error) {
	if o == nil {
		return DecodeRow(row.JSON)
	}
	return o.Open(ctx, row)
}

func (o *Opener) open(ctx context.Context, r *Row) error {
	where := r.place()
	if r.Sealed != "" {
		var p personal
		there, err := o.unseal(ctx, ofPerson, r.Actor.Pseudonym, r.Sealed, where, &p)
		if err != nil {
			return err
		}
		if !there {
			p = personal{ID: r.Actor.Pseudonym, Login: erased, Why: erased, Error: erased, Dest: erased}
		}
		r.join(p)
	}
	if r.Origin != "" {
		var from origin
		there, err := o.unseal(ctx, ofDay, o.keys.dayOf(r.Time), r.Origin, where, &from)
		if err != nil {
			return err
		}
		if !there {
			from.Address = erased
		}
		r.Address, r.Agent = from.Address, cmp.Or(r.Agent, from.Agent)
	}
	r.Opened = r.Sealed != "" || r.Origin != ""
	r.Sealed, r.Origin = "", ""
	return nil
}

// unseal tells whether the key is there still.
func (o *Opener) unseal(ctx context.Context, kind, name, text, where string, into any) (bool, error) {
	b, err := o.box(ctx, kind, name)
	if err != nil || b == nil {
		return false, err
	}
	return true, b.open(text, where, into)
}

func (o *Opener) box(ctx context.Context, kind, name string) (*box, error) {
	id := kind + name
	if b, ok := o.boxes[id]; ok {
		return b, nil
	}
	key, found, err := o.from.AuditKey(ctx, kind, name)
	if err != nil {
		return nil, err
	}
	if !found {
		o.boxes[id] = nil
		return nil, nil //nolint:nilnil // it was destroyed
	}
	b, err := o.keys.unwrap(key)
	if err != nil {
		return nil, err
	}
	o.boxes[id] = &b
	return &b, nil
}
