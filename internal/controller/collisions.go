package controller

import (
	"slices"
	"strings"
)

// collisions finds topics whose names differ only in '.' and '_': as metric names they would be one.
type collisions map[string][]string // the name with '_' for '.' → names, sorted

// unify returns the form that colliding names share, and false for a name that cannot collide.
func unify(name string) (string, bool) {
	if !strings.ContainsAny(name, "._") {
		return "", false
	}
	return strings.ReplaceAll(name, ".", "_"), true
}

func (c collisions) add(name string) {
	if form, ok := unify(name); ok {
		if i, found := slices.BinarySearch(c[form], name); !found {
			c[form] = slices.Insert(c[form], i, name)
		}
	}
}

func (c collisions) remove(name string) {
	form, ok := unify(name)
	if !ok {
		return
	}
	c[form] = slices.DeleteFunc(c[form], func(n string) bool { return n == name })
	if len(c[form]) == 0 {
		delete(c, form)
	}
}

// with returns an existing topic that name collides with; name itself counts.
func (c collisions) with(name string) (string, bool) {
	form, ok := unify(name)
	if !ok || len(c[form]) == 0 {
		return "", false
	}
	return c[form][0], true
}
