package portal

import (
	"maps"
	"slices"
)

// Patterns are all routes, for the test of the OpenAPI document.
func Patterns() []string { return slices.Sorted(maps.Keys(new(portal).routes())) }
