package web

import (
	"net/http"
	"slices"

	"portico/lang"
	"portico/notify"
	"portico/sharing"
)

// Choices are what somebody may choose for themself, with what they chose: the
// part "choices" of the pages shows them as a form.
type Choices struct {
	Language, Theme string
	Mails           []MailChoice
}

// MailChoice is a kind of mail that somebody may do without.
type MailChoice struct {
	Event string
	Text  string // a text's id
	On    bool
}

// Choices are those of who asks. Staff are told of what they shared, customers of
// what they were given.
func (k *Kit) Choices(r *http.Request) Choices {
	who, _ := k.Who(r)
	chosen := k.Chosen(r)
	c := Choices{Language: chosen.Language, Theme: chosen.Theme, Mails: mailsOf(who.Contact)}
	for i := range c.Mails {
		c.Mails[i].On = !slices.Contains(chosen.Muted, c.Mails[i].Event)
	}
	return c
}

func mailsOf(contact bool) []MailChoice {
	all := []MailChoice{
		{Event: string(notify.Shared), Text: lang.ID("Something is shared with me")},
		{Event: string(notify.Offered), Text: lang.ID("Something is offered to me, to accept or decline")},
		{Event: string(notify.Stopped), Text: lang.ID("Something is no longer shared with me")},
		{Event: string(notify.Ending), Text: lang.ID("A share is about to end")},
	}
	if contact {
		return append(all,
			MailChoice{Event: string(notify.Receipt), Text: lang.ID("A receipt for each document that I send")},
			MailChoice{Event: string(notify.Opened), Text: lang.ID("Something that I sent was opened for the first time")})
	}
	return append(all,
		MailChoice{Event: string(notify.Deposited), Text: lang.ID("Somebody sent documents")},
		MailChoice{Event: string(notify.Accepted), Text: lang.ID("Somebody accepted what I offered")},
		MailChoice{Event: string(notify.Declined), Text: lang.ID("Somebody declined what I offered")},
		MailChoice{Event: string(notify.Opened), Text: lang.ID("Something that I shared was opened for the first time")},
		MailChoice{Event: string(notify.Asked), Text: lang.ID("Somebody asks for access to what I look after")})
}

// LabelColor is a colour that a label may have, with its name: a text's id.
type LabelColor struct{ Color, Name string }

// LabelColors are those of sharing.Palette, for a form.
func LabelColors() (all []LabelColor) {
	names := map[string]string{
		"red": lang.ID("red"), "orange": lang.ID("orange"), "yellow": lang.ID("yellow"), "green": lang.ID("green"), "teal": lang.ID("teal"),
		"blue": lang.ID("blue"), "purple": lang.ID("purple"), "grey": lang.ID("grey"),
	}
	for _, color := range sharing.Palette() {
		all = append(all, LabelColor{color, names[color]})
	}
	return all
}
