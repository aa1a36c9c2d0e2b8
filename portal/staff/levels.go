package staff

import "portico/lang"

// levels are words for what rights amount to, from the most on.
func levels() []string {
	return []string{
		lang.ID("Looks after it"), lang.ID("May change and delete"), lang.ID("May edit and deposit"), lang.ID("May read"), lang.ID("May deposit"), lang.ID("May see the name"),
	}
}
