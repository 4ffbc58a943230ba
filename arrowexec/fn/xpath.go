package fn

import (
	"bytes"
	"math"
	"strings"

	"github.com/antchfx/xpath"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
)

// xmlCursor is a place in a document, as XPath expressions move over it.
type xmlCursor struct{ n, doc *xmlNode }

func (c *xmlCursor) NodeType() xpath.NodeType {
	switch c.n.kind {
	case 'e':
		return xpath.ElementNode
	case 'a':
		return xpath.AttributeNode
	case 't':
		return xpath.TextNode
	case 'c':
		return xpath.CommentNode
	}
	return xpath.RootNode
}

func (c *xmlCursor) LocalName() string         { return c.n.name }
func (c *xmlCursor) Prefix() string            { return "" }
func (c *xmlCursor) Value() string             { return c.n.value() }
func (c *xmlCursor) Copy() xpath.NodeNavigator { d := *c; return &d }
func (c *xmlCursor) MoveToRoot()               { c.n = c.doc }

func (c *xmlCursor) MoveToParent() bool {
	if c.n.parent == nil {
		return false
	}
	c.n = c.n.parent
	return true
}

func (c *xmlCursor) MoveToNextAttribute() bool {
	if c.n.kind == 'a' {
		if c.n.index+1 >= len(c.n.parent.attrs) {
			return false
		}
		c.n = c.n.parent.attrs[c.n.index+1]
		return true
	}
	if len(c.n.attrs) == 0 {
		return false
	}
	c.n = c.n.attrs[0]
	return true
}

func (c *xmlCursor) MoveToChild() bool {
	if c.n.kind == 'a' || len(c.n.kids) == 0 {
		return false
	}
	c.n = c.n.kids[0]
	return true
}

func (c *xmlCursor) sibling(at int) bool {
	if c.n.kind == 'a' || c.n.parent == nil || at < 0 || at >= len(c.n.parent.kids) {
		return false
	}
	c.n = c.n.parent.kids[at]
	return true
}

func (c *xmlCursor) MoveToFirst() bool    { return c.n.index > 0 && c.sibling(0) }
func (c *xmlCursor) MoveToNext() bool     { return c.sibling(c.n.index + 1) }
func (c *xmlCursor) MoveToPrevious() bool { return c.sibling(c.n.index - 1) }

func (c *xmlCursor) MoveTo(other xpath.NodeNavigator) bool {
	o, ok := other.(*xmlCursor)
	if ok {
		*c = *o
	}
	return ok
}

// xpathEval evaluates the path over row i; ok is false where the text or the path is empty.
func xpathEval(a *Args, i int) (x any, ok bool, err error) {
	text, path := a.V[0].Bytes(i), a.V[1].Str(i)
	if len(text) == 0 || path == "" {
		return nil, false, nil
	}
	e, err := state(a, func() (map[string]*xpath.Expr, error) { return map[string]*xpath.Expr{}, nil })
	if err != nil {
		return nil, false, err
	}
	x1 := e[path]
	if x1 == nil {
		if x1, err = xpath.Compile(path); err != nil {
			return nil, false, errs.New(errs.Execution, "INTERNAL_ERROR", "message", "Invalid XPath '"+path+"': "+err.Error()).At(a.pos())
		}
		if len(e) >= cacheMost {
			clear(e)
		}
		e[strings.Clone(path)] = x1
	}
	doc, good := parseXML(bytes.Clone(text), false)
	if !good {
		return nil, false, errs.New(errs.Execution, "INTERNAL_ERROR", "message", "Error loading expression '"+path+"': the XML isn't well formed.").At(a.pos())
	}
	return x1.Evaluate(&xmlCursor{doc, doc}), true, nil
}

// firstNode is the first node of an answer in the document's order; nil: there is none.
func firstNode(x any) (*xmlNode, bool) {
	it, ok := x.(*xpath.NodeIterator)
	if !ok {
		return nil, false
	}
	if it.MoveNext() {
		return it.Current().(*xmlCursor).n, true
	}
	return nil, true
}

func xpathText(x any) string {
	if n, isNodes := firstNode(x); isNodes {
		if n == nil {
			return ""
		}
		return n.value()
	}
	switch x := x.(type) {
	case string:
		return x
	case bool:
		if x {
			return "true"
		}
		return "false"
	case float64:
		return xpathDouble(x)
	}
	return ""
}

// xpathDouble writes a number as XPath 1.0 does: integers without a fraction.
func xpathDouble(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f != f:
		return "NaN"
	}
	return strings.TrimSuffix(aggFloatText(f), ".0")
}

func xpathFloat(x any) float64 {
	switch v := x.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	s := strings.Trim(xpathText(x), " \t\r\n")
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789.") != "" || digits == "." || strings.Count(digits, ".") > 1 {
		return math.NaN()
	}
	f, _ := (&formatOptions{raw: map[string]string{}}).double(s, 64)
	return f
}

// javaInt and javaLong convert as Java does: NaN is 0, and the ends are the greatest and least.
func javaInt(f float64) int32 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt32:
		return math.MaxInt32
	case f <= math.MinInt32:
		return math.MinInt32
	}
	return int32(f)
}

func javaLong(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func xpathNumber[T vec.Fixed](conv func(float64) T) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]T, a.N)
		v := vec.FromSlice(a.Ret, out, nil)
		for i := range out {
			if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
				continue
			}
			x, ok, err := xpathEval(a, i)
			switch {
			case err != nil:
				return nil, err
			case !ok:
				setNull(v, i)
			default:
				out[i] = conv(xpathFloat(x))
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
}

func xpathBool(a *Args) (*vec.Vector, error) {
	out := make([]bool, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
			continue
		}
		x, ok, err := xpathEval(a, i)
		if err != nil {
			return nil, err
		}
		if !ok {
			setNull(v, i)
			continue
		}
		switch x := x.(type) {
		case bool:
			out[i] = x
		case float64:
			out[i] = x == x && x != 0
		case string:
			out[i] = x != ""
		default:
			n, _ := firstNode(x)
			out[i] = n != nil
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func xpathString(a *Args) (*vec.Vector, error) {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		x, ok, err := xpathEval(a, i)
		if err != nil || !ok {
			return nil, false, err
		}
		return append(dst, xpathText(x)...), true, nil
	})(a)
}

func xpathList(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	for i := range a.N {
		if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
			b.AppendNull()
			continue
		}
		x, ok, err := xpathEval(a, i)
		if err != nil {
			return nil, err
		}
		it, isNodes := x.(*xpath.NodeIterator)
		if !ok || !isNodes {
			b.AppendNull()
			continue
		}
		n := 0
		for it.MoveNext() {
			switch c := it.Current().(*xmlCursor).n; c.kind {
			case 'a', 't', 'c':
				b.Child(0).AppendString(c.text)
			default: // an element has no text of its own
				b.Child(0).AppendNull()
			}
			n++
		}
		b.EndList(n)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}
