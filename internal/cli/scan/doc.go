// Package scan reads ranges of partitions: it finds out what a range of offsets means for each of them, and gives every record up to there.
package scan
