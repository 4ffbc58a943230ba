package plan

// exprList gathers the expressions of a node in order (Exprs); exprTaker gives
// their replacements out in the same order (WithExprs).

type exprList []Expr

func (x *exprList) one(e Expr) {
	if e != nil {
		*x = append(*x, e)
	}
}
func (x *exprList) list(l []Expr) { *x = append(*x, l...) }
func (x *exprList) order(l []SortOrder) {
	for _, o := range l {
		*x = append(*x, o.Child)
	}
}
func (x *exprList) lists(l [][]Expr) {
	for _, e := range l {
		*x = append(*x, e...)
	}
}
func (x *exprList) aliases(l []*Alias) {
	for _, e := range l {
		*x = append(*x, e)
	}
}
func (x *exprList) attrs(l []*Attr) {
	for _, e := range l {
		*x = append(*x, e)
	}
}
func (x *exprList) call(c *Call) { *x = append(*x, c) }

type exprTaker []Expr

func (x *exprTaker) take(n int) []Expr {
	k := (*x)[:n:n]
	*x = (*x)[n:]
	return k
}
func (x *exprTaker) one(e Expr) Expr {
	if e == nil {
		return nil
	}
	return x.take(1)[0]
}
func (x *exprTaker) list(l []Expr) []Expr {
	if l == nil {
		return nil
	}
	return x.take(len(l))
}
func (x *exprTaker) order(l []SortOrder) []SortOrder { return withOrder(l, x.take(len(l))) }
func (x *exprTaker) lists(l [][]Expr) [][]Expr {
	out := make([][]Expr, len(l))
	for i := range l {
		out[i] = x.take(len(l[i]))
	}
	return out
}
func (x *exprTaker) aliases(l []*Alias) []*Alias {
	out := make([]*Alias, len(l))
	for i, e := range x.take(len(l)) {
		if a, ok := e.(*Alias); ok {
			out[i] = a
		} else {
			a := *l[i]
			a.Child = e
			out[i] = &a
		}
	}
	return out
}
func (x *exprTaker) attrs(l []*Attr) []*Attr {
	if l == nil {
		return nil
	}
	out := make([]*Attr, len(l))
	for i, e := range x.take(len(l)) {
		out[i] = l[i]
		if a, ok := e.(*Attr); ok {
			out[i] = a
		}
	}
	return out
}
func (x *exprTaker) call(*Call) *Call {
	c, _ := x.take(1)[0].(*Call)
	return c
}
