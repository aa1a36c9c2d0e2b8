package files

import (
	"context"
	"reflect"
	"time"

	"portico/acl"
)

// kept is a view with what it was made from.
type kept struct {
	view     *acl.View
	subjects []acl.Subject // whom a grant to the one who asks can name
	known    *granted
	given    given
}

// view is the policy, with what people gave, as it concerns p. It is kept for the
// next request, since making one reads all rules. To one whom nobody gave
// anything it costs no more than a look at what is kept.
func (s *Service) view(ctx context.Context, r *rules, p acl.Principal) (*acl.View, error) {
	known, err := s.grants.known(ctx)
	if err != nil {
		return nil, err
	}
	key, now := p.Key(), s.Clock()
	have := r.kept(key)
	fresh := have.view != nil && (have.view.Expires().IsZero() || now.Before(have.view.Expires()))
	if fresh && have.known == known && len(have.given.from) == 0 {
		return have.view, nil
	}
	if have, err = s.renew(ctx, r, p, have, known, fresh); err != nil {
		return nil, err
	}
	r.keep(key, have)
	if len(have.given.from) > 0 {
		// Rights that somebody may have withdrawn meanwhile are not given out.
		return have.view, s.Stale()
	}
	return have.view, nil
}

// renew gives what holds now in the place of what was kept: the same, where the
// grants and all who gave them are as they were.
func (s *Service) renew(ctx context.Context, r *rules, p acl.Principal, have kept, known *granted, fresh bool) (kept, error) {
	now := s.Clock()
	if fresh && have.known == known {
		stand, err := s.stand(ctx, have.given.from)
		if err != nil || stand {
			return have, err
		}
	}
	if have.subjects == nil {
		have.subjects = r.policy.Subjects(p)
	}
	given, err := s.gather(ctx, r, known, have.subjects, now)
	if err != nil {
		return have, err
	}
	have.known = known
	if !fresh || !reflect.DeepEqual(given, have.given) {
		have.given, have.view = given, r.policy.View(p, now, given.grants...)
	}
	return have, nil
}

// kept is what is kept for a principal, without a view if nothing is.
func (r *rules) kept(key string) kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.views[key]
}

func (r *rules) keep(key string, k kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.views) >= maxViews || r.views == nil {
		r.views = map[string]kept{}
	}
	r.views[key] = k
}

// viewOf is the view of somebody who does not ask themself, made for one question.
func (s *Service) viewOf(ctx context.Context, r *rules, p acl.Principal, now time.Time) (*acl.View, error) {
	known, err := s.grants.known(ctx)
	if err != nil {
		return nil, err
	}
	given, err := s.gather(ctx, r, known, r.policy.Subjects(p), now)
	if err != nil {
		return nil, err
	}
	return r.policy.View(p, now, given.grants...), nil
}
