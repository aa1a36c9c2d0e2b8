package config

import "fmt"

// didYouMean is " (did you mean X?)" where one of the known words is near to
// what was written, else "".
func didYouMean(written string, known []string) string {
	best, least := "", max(1, min(3, len([]rune(written))/3))+1
	for _, k := range known {
		if d := distance(written, k, least); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance counts the letters that must be added, removed, replaced or swapped
// with their neighbour to make b out of a (optimal string alignment). It gives
// up at limit.
func distance(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if diff := len(s) - len(t); diff >= limit || -diff >= limit {
		return limit
	}
	before, above := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row := make([]int, len(t)+1)
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(t)]
}
