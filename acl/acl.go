// Package acl judges who may do what to which path. It is pure: rules and a
// question go in, a decision comes out, without I/O and without a clock.
//
//	policy, err := acl.Compile(spec)                   // once per load of the config
//	view := policy.View(principal, now)                // once per principal and policy, kept until view.Expires()
//	d := view.Decide(acl.Write, path, creator)         // per question: a walk up the path, nothing allocated
//	if !d.Allowed() { tell(d.String()) }               // reasons are worked out only when asked for
//
// What people gave each other is not compiled, since it changes by the minute:
//
//	view := policy.View(principal, now, given...)
//
// The rules are those of DESIGN.md §5:
//
//  1. The path and its ancestors up to the workspace's root count; the nearest
//     with inherit: false hides all above it. Nothing ever stands on "/".
//  2. A grant of owner at the workspace's root is neither hidden nor denied.
//  3. A deny that names one of the principal's subjects and the right denies,
//     the right's :own form included.
//  4. A grant whose role holds the right, or its :own form while the principal
//     created the thing, allows. One that a person made (a share) counts where
//     that person holds both share and the right themself.
//  5. Otherwise no.
package acl
