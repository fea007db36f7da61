package config

// suggest returns the known name that is nearest to an unknown one, or "" if none is near enough.
func suggest(name string, known []Key) string {
	best, bestDistance := "", min(2+len(name)/8, 4)+1
	for _, k := range known {
		if k.Internal {
			continue
		}
		if d := distance(name, k.Name, bestDistance); d < bestDistance {
			best, bestDistance = k.Name, d
		}
	}
	return best
}

// distance counts the single-letter edits from a to b; it may give up at limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, best := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
			best = min(best, row[j+1])
		}
		if best >= limit {
			return limit
		}
	}
	return row[len(b)]
}
