package notify

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"portico/lang"
	"portico/store"
)

// saying is how an event is told. Its sentences are ids of package lang.
type saying struct {
	title string // of one notice: in the list, and the mail's subject
	many  string // of several in one mail; counts {n}
	body  string // the sentence below, "" for none
	line  string // one of several; "" for the item's name
	open  string // what the link does, "" for no link
	notes []string
}

// Sentences of a name alone, which no language changes.
const (
	itemAlone   = "{item}"
	reasonAlone = "{reason}"
)

// sayings are the words of all events.
func sayings() map[Event]saying {
	all := aboutShares()
	maps.Copy(all, aboutDocuments())
	maps.Copy(all, aboutAccess())
	return all
}

// aboutAccess are those about getting in, and being kept out.
func aboutAccess() map[Event]saying {
	return map[Event]saying{
		Invited: {
			title: lang.ID("{firm} shares documents with you"),
			body:  lang.ID("{by} has opened access for you. Choose a password; then you see what is shared with you, and can send documents safely."),
			open:  lang.ID("Choose a password"),
			notes: []string{lang.ID("The link works once, until {until}."), lang.ID("Did you not expect this? Then you need not do anything.")},
		},
		Asked: {
			title: lang.ID("{by} asks for access to “{item}”"),
			body:  lang.ID("It lies in {folder}. Whether they get access is for you to decide."),
			open:  lang.ID("Give access"),
		},
		Closed: {
			title: lang.ID("Your access to the documents of {firm} has ended"),
			body:  lang.ID("{by} closed your access. You can no longer open what was shared with you."),
		},
		Reset: {
			title: lang.ID("Choose a new password"),
			body:  lang.ID("Somebody, probably you, asked for a new password for {firm}."),
			open:  lang.ID("Choose a new password"),
			notes: []string{lang.ID("The link works once, until {until}."), lang.ID("Was it not you? Then ignore this mail: your password stays as it is.")},
		},
		Code: {
			title: lang.ID("Your code for “{item}”"),
			body:  lang.ID("Enter this code on the page that asked for it:"),
			notes: []string{lang.ID("Give the code to nobody. Was it not you who asked for it? Then ignore this mail.")},
		},
		Unlock: {
			title: lang.ID("Somebody is guessing your password"),
			body:  lang.ID("There were many wrong passwords for your account today, so it takes none from new devices for now. If that keeps you out, let yourself in with this link."),
			open:  lang.ID("Let me sign in"),
			notes: []string{lang.ID("The link works once, until {until}."), lang.ID("Your password is unchanged. If it is short, or you use it elsewhere, choose another.")},
		},
		Undelivered: {
			title: lang.ID("The mail to {mail} was not delivered"),
			body:  reasonAlone,
		},
	}
}

// aboutShares are those about what people give each other.
func aboutShares() map[Event]saying {
	return map[Event]saying{
		Shared: {
			title: lang.ID("{by} shared “{item}” with you"),
			many:  lang.ID("{by} shared {n} items with you"),
			open:  lang.ID("Open it"),
			notes: []string{lang.ID("You can open it until {until}.")},
		},
		Offered: {
			title: lang.ID("{by} would like to share “{item}” with you"),
			many:  lang.ID("{by} would like to share {n} items with you"),
			body:  lang.ID("Accept or decline: {by} is told your answer."),
			open:  lang.ID("Answer"),
			notes: []string{lang.ID("You can open it until {until}.")},
		},
		Accepted: {
			title: lang.ID("{by} accepted “{item}”"),
			many:  lang.ID("{by} accepted {n} items"),
			open:  lang.ID("Open it"),
		},
		Declined: {
			title: lang.ID("{by} declined “{item}”"),
			many:  lang.ID("{by} declined {n} items"),
			body:  lang.ID("It is not shared with them."),
			open:  lang.ID("Open it"),
		},
		Stopped: {
			title: lang.ID("{by} no longer shares “{item}” with you"),
			many:  lang.ID("{by} no longer shares {n} items with you"),
			body:  lang.ID("You can no longer open it."),
		},
		Ending: {
			title: lang.ID("The sharing of “{item}” ends on {until}"),
			many:  lang.ID("The sharing of {n} items ends soon"),
			body:  lang.ID("After that day it can no longer be opened."),
			line:  lang.ID("“{item}” until {until}"),
			open:  lang.ID("Open it"),
		},
		SentLink: {
			title: lang.ID("{by} shared “{item}” with you"),
			open:  lang.ID("Open it"),
			notes: []string{lang.ID("The link is meant for you: whoever has it can open it."), lang.ID("You can open it until {until}.")},
		},
	}
}

// aboutDocuments are those about what comes in and is opened.
func aboutDocuments() map[Event]saying {
	return map[Event]saying{
		Deposited: {
			title: lang.ID("{by} sent “{item}”"),
			many:  lang.ID("{n} documents were sent"),
			body:  lang.ID("The document is in “{folder}”."),
			line:  lang.ID("“{item}” ({size}) from {by}"),
			open:  lang.ID("Open the folder"),
		},
		Receipt: {
			title: lang.ID("Receipt for “{item}”"),
			many:  lang.ID("Receipt for {n} documents"),
			body:  lang.ID("What you sent has arrived."),
			open:  lang.ID("Verify the receipt"),
			notes: []string{lang.ID("Keep this mail. With the receipt number and the checksum it can be proved later that the document arrived unchanged.")},
		},
		Opened: {
			title: lang.ID("{by} opened “{item}”"),
			many:  lang.ID("{by} opened {n} items"),
			body:  lang.ID("It was opened for the first time."),
			open:  lang.ID("Open it"),
		},
	}
}

// Words are a notice for a page: a title, a sentence or nothing, and where it
// leads, a path of ours or nothing. A notice of an event that this program does
// not know has no title: a newer one has written it.
func (n *Notifier) Words(text *lang.Text, x store.Notice) (title, body, link string) {
	p, err := payloadOf(x)
	s := sayingOf(Event(x.Event), p)
	if err != nil || s.title == "" {
		return "", "", ""
	}
	in := n.naming(text, p)
	if !Event(x.Event).secret() {
		link = p.Data["link"]
	}
	return in.say(s.title), in.say(s.body), link
}

// naming fills the names of one notice into sentences.
type naming struct {
	text *lang.Text
	data map[string]string
	args []any
}

func (n *Notifier) naming(text *lang.Text, p payload) naming {
	in := naming{text: text, data: p.Data}
	firm := first(p.Data["firm"], n.o.Brand(p.Brand).Name, "Portico")
	in.add("firm", firm)
	in.add("by", first(p.Data["by"], firm))
	for _, name := range []string{"item", "folder", "mail", "reason"} {
		in.add(name, p.Data[name])
	}
	in.add("size", in.size())
	in.add("until", in.until(n.o.Clock()))
	return in
}

// sayingOf are the words of a notice, with what its data changes of them.
func sayingOf(event Event, p payload) saying {
	s := sayings()[event]
	switch {
	case event == Undelivered && p.Data["unclear"] != "":
		s.title = lang.ID("The mail to {mail} may not have been delivered")
	case event == Code && p.Data["item"] == "":
		s.title = lang.ID("Your code")
	}
	if s.line == "" {
		s.line = itemAlone
	}
	return s
}

func (in *naming) add(name, value string) { in.args = append(in.args, name, oneLine(value)) }

// say is a sentence with its names; "" of one that needs a day or folder which is
// not known, so that nobody reads "until .".
func (in naming) say(id string) string {
	for _, name := range []string{"until", "folder"} {
		if strings.Contains(id, "{"+name+"}") && in.data[name] == "" {
			return ""
		}
	}
	if id == "" {
		return ""
	}
	return in.text.T(id, in.args...)
}

func (in naming) count(id string, n int) string { return in.text.N(id, n, in.args...) }

// until is a day; within two days it has its time, which a link of half an hour
// needs.
func (in naming) until(now time.Time) string {
	at, err := time.Parse(time.RFC3339, in.data["until"])
	if err != nil {
		return ""
	}
	if at.Sub(now) > 48*time.Hour {
		return in.text.Day(at)
	}
	return in.text.Day(at) + ", " + at.In(in.text.Zone()).Format("15:04 MST")
}

func (in naming) size() string {
	size, err := strconv.ParseInt(in.data["size"], 10, 64)
	if err != nil {
		return ""
	}
	return in.text.Size(size)
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
