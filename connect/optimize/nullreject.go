package optimize

import "neptune/internal/plan"

// What a condition says when some columns are all null.

type verdict uint8

const (
	unknown verdict = iota
	isNullV
	isFalseV
	isTrueV
	nullOrFalse
)

// rejectsNull reports whether e is never true when all columns of ids are null.
func rejectsNull(e plan.Expr, ids idSet) bool {
	switch judge(e, ids) {
	case isNullV, isFalseV, nullOrFalse:
		return true
	}
	return false
}

func judge(e plan.Expr, ids idSet) verdict {
	switch x := e.(type) {
	case *plan.Attr:
		if ids.has(x.ID) {
			return isNullV
		}
	case *plan.Literal:
		switch x.Value {
		case nil:
			return isNullV
		case true:
			return isTrueV
		case false:
			return isFalseV
		}
	case *plan.Cast:
		if judge(x.Child, ids) == isNullV {
			return isNullV
		}
	case *plan.GetField:
		if judge(x.Child, ids) == isNullV {
			return isNullV
		}
	case *plan.Call:
		return judgeCall(x, ids)
	}
	return unknown
}

func judgeCall(c *plan.Call, ids idSet) verdict {
	switch c.Name {
	case "and":
		out := unknown
		for _, a := range c.Args {
			switch judge(a, ids) {
			case isFalseV:
				return isFalseV
			case isNullV, nullOrFalse:
				out = nullOrFalse
			}
		}
		return out
	case "or":
		for _, a := range c.Args {
			switch judge(a, ids) {
			case isNullV, isFalseV, nullOrFalse:
			case isTrueV:
				return isTrueV
			default:
				return unknown
			}
		}
		return nullOrFalse
	case "not":
		switch judge(c.Args[0], ids) {
		case isNullV:
			return isNullV
		case isTrueV:
			return isFalseV
		case isFalseV:
			return isTrueV
		}
		return unknown
	case "isnull":
		if judge(c.Args[0], ids) == isNullV {
			return isTrueV
		}
		return unknown
	case "isnotnull":
		if judge(c.Args[0], ids) == isNullV {
			return isFalseV
		}
		return unknown
	case "in":
		if judge(c.Args[0], ids) == isNullV {
			return isNullV
		}
		return unknown
	case "coalesce":
		for _, a := range c.Args {
			if judge(a, ids) != isNullV {
				return unknown
			}
		}
		return isNullV
	}
	if c.Kind == plan.FnScalar && strict(c.Name) {
		for _, a := range c.Args {
			if judge(a, ids) == isNullV {
				return isNullV
			}
		}
	}
	return unknown
}
