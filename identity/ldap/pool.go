package ldap

import (
	"context"
	"errors"
	"fmt"

	goldap "github.com/go-ldap/ldap/v3"

	"portico/fault"
)

// search makes one search.
func (d *Directory) search(ctx context.Context, req *goldap.SearchRequest) (entries []*goldap.Entry, err error) {
	err = d.pooled(ctx, func(c *goldap.Conn) error {
		found, err := c.Search(req)
		if err != nil {
			return err //nolint:wrapcheck // pooled looks at the code
		}
		entries = found.Entries // references to other servers are in Referrals, and stay there
		return nil
	})
	return entries, err
}

// pooled runs f on a connection of the account that searches. f may run again on
// another connection, if the first one fails.
func (d *Directory) pooled(ctx context.Context, f func(*goldap.Conn) error) error {
	leave, err := d.enter(ctx, d.searches)
	if err != nil {
		return err
	}
	defer leave()
	return d.each(ctx, func(s *server) error { return d.onLink(ctx, s, f) })
}

// enter waits for a place, no longer than for a request.
func (d *Directory) enter(ctx context.Context, places chan struct{}) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("all connections are in use: %w: %w", fault.ErrUnavailable, ctx.Err())
	}
}

// each asks the servers in their order until one answers. An answer that says no
// is an answer.
func (d *Directory) each(ctx context.Context, ask func(*server) error) error {
	faults := []error{fault.ErrUnavailable}
	for _, s := range d.servers {
		probe, ok := s.admit()
		if !ok {
			continue
		}
		err := ask(s)
		if !outage(err) {
			s.worked()
			return err
		}
		faults = append(faults, fmt.Errorf("%s: %w", s.url.Host, err))
		if ctx.Err() != nil { // the caller left, which tells nothing of the server
			break
		}
		s.failed(ctx, err, probe)
	}
	return fmt.Errorf("no server of the directory answers: %w", errors.Join(faults...))
}

// onLink runs f on a connection that waits, or on a new one. A server that was
// started anew has hung up on those that waited: that is no failure yet.
func (d *Directory) onLink(ctx context.Context, s *server, f func(*goldap.Conn) error) error {
	if l := s.take(); l != nil {
		err := d.use(ctx, s, l, f)
		if !outage(err) || hung(err) || ctx.Err() != nil {
			return err
		}
		s.drop(false)
	}
	l, err := s.dial(ctx)
	if err != nil {
		return err
	}
	if err := l.run(ctx, d.bindAccount); err != nil {
		l.close()
		return err
	}
	return d.use(ctx, s, l, f)
}

// use runs f, and keeps the connection where it is still good.
func (d *Directory) use(ctx context.Context, s *server, l *link, f func(*goldap.Conn) error) error {
	err := l.run(ctx, f)
	if outage(err) || ctx.Err() != nil {
		l.close()
		return err
	}
	s.put(l)
	return err
}

func (d *Directory) bindAccount(c *goldap.Conn) error {
	err := c.Bind(d.o.BindDN, d.o.BindPassword)
	if err != nil && !outage(err) {
		return fmt.Errorf("%w: %w", errAccount, err)
	}
	return err
}

// prove binds as somebody, on a connection that is made for it and thrown away:
// one of the pool would go on as that person, or as nobody.
func (d *Directory) prove(ctx context.Context, dn, password string) (proved bool, err error) {
	leave, err := d.enter(ctx, d.binds)
	if err != nil {
		return false, err
	}
	defer leave()
	err = d.each(ctx, func(s *server) error {
		l, err := s.dial(ctx)
		if err != nil {
			return err
		}
		defer l.close()
		return l.run(ctx, func(c *goldap.Conn) error { return bind(c, dn, password) })
	})
	if refusedBind(err) {
		return false, nil
	}
	return err == nil, err
}

// bind asks for the state of the password too: some servers say yes to one that
// has expired or must be changed, and expect that nothing else is done with it
// (draft-behera-ldap-password-policy §9.2). Others ignore the control.
func bind(c *goldap.Conn, dn, password string) error {
	res, err := c.SimpleBind(goldap.NewSimpleBindRequest(dn, password, []goldap.Control{goldap.NewControlBeheraPasswordPolicy()}))
	if err != nil {
		return err //nolint:wrapcheck // prove looks at the code
	}
	const none = -1
	state, ok := goldap.FindControl(res.Controls, goldap.ControlTypeBeheraPasswordPolicy).(*goldap.ControlBeheraPasswordPolicy)
	if ok && state.Error != none {
		return goldap.NewError(goldap.LDAPResultInvalidCredentials, errors.New(state.ErrorString))
	}
	return nil
}
