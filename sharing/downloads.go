package sharing

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"portico/fault"
	"portico/identity/throttle"
	"portico/store"
)

// A link may have a limit of downloads. One counts when its last byte has left, in
// however many pieces; until then it holds a place, so that no more begin than may
// end. A place is kept for who was cut off, and given up some time after the last
// byte that left.
const (
	placeTerm = 10 * time.Minute
	// A stream has the bytes that it sends to itself for so long after it was last
	// heard of: longer than the server waits for a client that takes no bytes.
	streamTerm = 90 * time.Second
	streamTell = 15 * time.Second
	recordTerm = 10 * time.Second // for what is written after a request's end
)

// span is a piece of a file: from From up to To.
type span struct{ From, To int64 }

// progress is store.Download.Sent: what has left, and what is leaving.
type progress struct {
	Left    []span   `json:"left,omitempty"` // sorted and apart
	Streams []stream `json:"streams,omitempty"`
}

// stream is an answer under way.
type stream struct {
	ID    string
	Span  span
	Until time.Time
}

func readProgress(d store.Download) (p progress) {
	_ = json.Unmarshal(d.Sent, &p) // ours
	return p
}

// left adds a piece to what has left.
func (p *progress) left(s span) {
	if s.From >= s.To {
		return
	}
	all := append(slices.Clone(p.Left), s)
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.From, b.From) })
	merged := all[:1]
	for _, next := range all[1:] {
		last := &merged[len(merged)-1]
		if next.From > last.To {
			merged = append(merged, next)
			continue
		}
		last.To = max(last.To, next.To)
	}
	p.Left = merged
}

// whole tells whether all of size bytes have left.
func (p *progress) whole(size int64) bool {
	return size == 0 || len(p.Left) == 1 && p.Left[0].From <= 0 && p.Left[0].To >= size
}

// takes tells whether nobody is sending any of a piece. Two of one visitor may
// send different pieces at once, as browsers and download managers do; two that
// send the same would be two downloads.
func (p *progress) takes(s span, now time.Time) bool {
	p.Streams = slices.DeleteFunc(p.Streams, func(t stream) bool { return !now.Before(t.Until) })
	return !slices.ContainsFunc(p.Streams, func(t stream) bool { return t.Span.From < s.To && s.From < t.Span.To })
}

// end takes a stream away.
func (p *progress) end(id string) {
	p.Streams = slices.DeleteFunc(p.Streams, func(t stream) bool { return t.ID == id })
}

// claim is the right of one answer to send a piece of a download.
type claim struct {
	v        *Visit
	download string // its ID
	stream   string
	span     span
	begun    bool // something of it was read
}

// visitorKey tells who goes on with a download: the visit, or the place that a
// client without a cookie comes from.
func (v *Visit) visitorKey() string {
	if v.Known() {
		return "visit:" + v.data.Visitor
	}
	return "place:" + throttle.Place(v.knock.Address)
}

// claim takes a place for what, of which a piece is about to leave; nil without a
// limit. Where all places are taken it is ErrGone, or fault.ErrBusy while one may
// still become free.
func (v *Visit) claim(ctx context.Context, what string, size int64, piece span) (*claim, error) {
	if v.link.MaxDownloads == 0 {
		return nil, nil //nolint:nilnil // there is nothing to hold
	}
	id, err := v.s.newID()
	if err != nil {
		return nil, err
	}
	streamID, err := v.s.newID()
	if err != nil {
		return nil, err
	}
	c := &claim{v: v, stream: streamID, span: piece}
	err = v.s.State.Update(ctx, func(tx store.Tx) error {
		d, err := v.placeFor(ctx, tx, what)
		if err != nil {
			return err
		}
		if d.ID == "" {
			d = store.Download{ID: id, Link: v.link.ID, Visitor: v.visitorKey(), What: what, Size: size, Began: v.s.Clock()}
		}
		c.download = d.ID
		p := readProgress(d)
		if !p.takes(piece, v.s.Clock()) {
			return fault.Tell(fault.ErrBusy, "This download is under way already. Wait for its end, or try again in a minute and a half.")
		}
		p.Streams = append(p.Streams, stream{streamID, piece, v.s.Clock().Add(streamTerm)})
		return putProgress(tx, d, p, v.s.Clock())
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// placeFor finds the place that the visitor holds for what, the zero value for a
// new one; those that were given up are gone.
func (v *Visit) placeFor(ctx context.Context, tx store.Tx, what string) (mine store.Download, err error) {
	l, found, err := tx.LinkByID(ctx, v.link.ID)
	if err != nil {
		return mine, err
	}
	if !found {
		return mine, gone()
	}
	if err := v.s.standing(l); err != nil {
		return mine, err
	}
	all, err := tx.DownloadsOf(ctx, l.ID)
	if err != nil {
		return mine, err
	}
	isMine := func(d store.Download) bool { return d.Visitor == v.visitorKey() && d.What == what }
	held := slices.DeleteFunc(slices.Clone(all), func(d store.Download) bool { return v.isGivenUp(d) })
	if i := slices.IndexFunc(held, isMine); i >= 0 {
		return held[i], nil
	}
	rests, err := v.settle(tx, &l, slices.DeleteFunc(all, func(d store.Download) bool { return !v.isGivenUp(d) }))
	if err != nil {
		return mine, err
	}
	if err := v.s.standing(l); err != nil {
		return mine, err
	}
	if l.MaxDownloads > 0 && l.Downloads+len(held) >= l.MaxDownloads {
		return mine, fault.Tell(fault.ErrBusy, "Somebody is downloading what is left of this link. Try again in some minutes.")
	}
	if i := slices.IndexFunc(rests, isMine); i >= 0 {
		mine = rests[i]
	}
	return mine, nil
}

// isGivenUp tells a download that holds no place any more.
func (v *Visit) isGivenUp(d store.Download) bool {
	return !v.s.Clock().Before(d.Seen.Add(placeTerm))
}

// settle looks what has left of downloads that were given up. What has left of one
// thing is whole, whoever had which piece of it: that is a download, or halves
// with a pause between would never count. The rests wait for the other pieces.
func (v *Visit) settle(tx store.Tx, l *store.Link, old []store.Download) (rests []store.Download, err error) {
	sent := map[string]*progress{}
	for _, d := range old {
		if sent[d.What] == nil {
			sent[d.What] = &progress{}
		}
		for _, s := range readProgress(d).Left {
			sent[d.What].left(s)
		}
	}
	counted := map[string]bool{}
	for _, d := range old {
		p := sent[d.What]
		whole := len(p.Left) > 0 && d.Size >= 0 && p.whole(d.Size)
		if !whole && len(readProgress(d).Left) > 0 {
			rests = append(rests, d)
			continue
		}
		if whole && !counted[d.What] {
			counted[d.What] = true
			l.Downloads++
			err = errors.Join(err, tx.PutLink(*l))
		}
		err = errors.Join(err, tx.DropDownload(d.ID))
	}
	return rests, err
}

func putProgress(tx store.Tx, d store.Download, p progress, now time.Time) error {
	var err error
	if d.Sent, err = json.Marshal(p); err != nil {
		return fmt.Errorf("sharing: download: %w", err)
	}
	d.Seen = now
	return tx.PutDownload(d)
}

// tell keeps how far a stream has come; with end, that it has ended. The download
// whose last byte has left by it is counted, once.
func (c *claim) tell(ctx context.Context, upTo int64, end bool) error {
	return c.v.s.State.Update(ctx, func(tx store.Tx) error {
		d, err := c.mine(ctx, tx)
		if err != nil || d.ID == "" {
			return err
		}
		p := readProgress(d)
		p.left(span{c.span.From, upTo})
		now := c.v.s.Clock()
		p.end(c.stream)
		if !end {
			p.Streams = append(p.Streams, stream{c.stream, c.span, now.Add(streamTerm)})
		}
		if end && d.Size >= 0 && p.whole(d.Size) {
			return c.count(ctx, tx)
		}
		if end && !c.begun && len(p.Left) == 0 && len(p.Streams) == 0 { // nothing has left of it
			return tx.DropDownload(d.ID)
		}
		return putProgress(tx, d, p, now)
	})
}

// endArchive is tell for what has no length: whole is whether all of it has left.
func (c *claim) endArchive(ctx context.Context, whole bool) error {
	if !whole {
		return c.tell(ctx, c.span.From, true)
	}
	return c.v.s.State.Update(ctx, func(tx store.Tx) error {
		d, err := c.mine(ctx, tx)
		if err != nil || d.ID == "" {
			return err
		}
		return c.count(ctx, tx)
	})
}

// mine is the download that the claim is of, the zero value for one that is gone.
func (c *claim) mine(ctx context.Context, tx store.Tx) (store.Download, error) {
	all, err := tx.DownloadsOf(ctx, c.v.link.ID)
	if err != nil {
		return store.Download{}, err
	}
	for _, d := range all {
		if d.ID == c.download {
			return d, nil
		}
	}
	return store.Download{}, nil
}

// count ends a download that is whole.
func (c *claim) count(ctx context.Context, tx store.Tx) error {
	l, found, err := tx.LinkByID(ctx, c.v.link.ID)
	if err != nil || !found {
		return errors.Join(err, tx.DropDownload(c.download))
	}
	l.Downloads++
	return errors.Join(tx.DropDownload(c.download), tx.PutLink(l))
}

// body is a file that leaves under a claim. What was read counts as sent when the
// next is asked for: until then it may not have been written.
type body struct {
	io.ReadCloser
	ctx  context.Context //nolint:containedctx // of the request that it answers
	c    *claim
	at   int64 // read
	sent int64 // and written
	told time.Time
}

func (c *claim) body(ctx context.Context, from io.ReadCloser) io.ReadCloser {
	return &body{ReadCloser: from, ctx: ctx, c: c, at: c.span.From, sent: c.span.From, told: c.v.s.Clock()}
}

// Read is of io.Reader. A last piece and the end never come together, so that the
// end is asked for when the last piece was written.
func (b *body) Read(p []byte) (int, error) {
	b.sent, b.c.begun = b.at, true
	if now := b.c.v.s.Clock(); now.Sub(b.told) >= streamTell {
		b.told = now
		if err := b.c.tell(b.ctx, b.sent, false); err != nil {
			return 0, fmt.Errorf("sharing: download: %w", err)
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Close is of io.Closer. It counts a download whose last byte has left.
func (b *body) Close() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), recordTerm)
	defer cancel()
	if err := b.c.tell(ctx, b.sent, true); err != nil {
		b.c.v.s.Log.ErrorContext(ctx, "a download of a link is not counted", "link", b.c.v.link.ID, "err", err)
	}
	return b.ReadCloser.Close()
}
