// Package unlock has the page behind the mail to somebody whom strangers keep out
// of their account.
package unlock

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"

	"portico/lang"
	"portico/portal/web"
)

//go:embed pages
var embedded embed.FS

// Keeper takes the secrets of links: *unlock.Keeper of identity/unlock. One that is
// not good is fs.ErrNotExist.
type Keeper interface {
	Good(ctx context.Context, secret string) error
	Use(ctx context.Context, secret string) error
}

// Room gives the routes. To open the page does nothing: programs that look for harm
// in mails open what is in them.
func Room(keeper Keeper) web.Room {
	return func(k *web.Kit) []web.Route {
		pages, err := fs.Sub(embedded, "pages")
		if err != nil {
			panic(err) // the name is ours
		}
		k.Templates("unlock", pages)
		p := &room{kit: k, keeper: keeper}
		return []web.Route{
			{Pattern: "GET /unlock/{secret}", Needs: web.Anyone, Handler: p.ask},
			{Pattern: "POST /unlock/{secret}", Needs: web.Anyone, Handler: p.unlock},
		}
	}
}

type room struct {
	kit    *web.Kit
	keeper Keeper
}

// ask shows a button. It names nobody: whoever has the link learns nothing by it.
func (p *room) ask(w http.ResponseWriter, r *http.Request) {
	if err := p.keeper.Good(r.Context(), r.PathValue("secret")); err != nil {
		p.refuse(w, r, err)
		return
	}
	p.kit.Show(w, r, http.StatusOK, "unlock/unlock", lang.ID("Let yourself in again"), nil)
}

func (p *room) unlock(w http.ResponseWriter, r *http.Request) {
	if err := p.keeper.Use(r.Context(), r.PathValue("secret")); err != nil {
		p.refuse(w, r, err)
		return
	}
	p.kit.Say(w, web.Said{Message: p.kit.Text(r).T("You can sign in from this device again.")})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (p *room) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		p.kit.Trouble(w, r, http.StatusNotFound, lang.ID("This link is not good any more"), lang.ID("It was used already, or its time is over. Try to sign in."))
		return
	}
	p.kit.Fail(w, r, err)
}
