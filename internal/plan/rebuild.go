package plan

// Tree is what nodes and expressions, logical or physical, have in common.
type Tree[T any] interface {
	comparable
	Children() []T
	WithChildren([]T) T
}

// MapChildren returns n over what f makes of its children: n itself where f changes none.
func MapChildren[T Tree[T]](n T, f func(T) T) T {
	kids := n.Children()
	if len(kids) == 0 {
		return n
	}
	fresh, changed := make([]T, len(kids)), false
	for i, k := range kids {
		fresh[i] = f(k)
		changed = changed || fresh[i] != k
	}
	if !changed {
		return n
	}
	return n.WithChildren(fresh)
}
