module github.com/ottla/ottla

go 1.26
