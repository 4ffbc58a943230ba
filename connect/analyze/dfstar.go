package analyze

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// starName is how errors name df["*"].
const starName = `"unresolveddataframestar()"`

// dataFrameStar is df["*"]: all columns of a data frame below, which have to be
// part of the output still, or hidden columns of a join by name.
func (r *run) dataFrameStar(star *plan.UnresolvedStar, s *scope) ([]*plan.Attr, error) {
	hidden := func(a *plan.Attr) bool {
		if hasID(s.meta, a.ID) {
			return true
		}
		for i := range s.dfs {
			if hasID(s.dfs[i].meta, a.ID) {
				return reachable(s.below, a.ID)
			}
		}
		return false
	}
	var hit *dfRef
next:
	for i := range s.dfs {
		d := &s.dfs[i]
		if d.id != *star.PlanID {
			continue
		}
		for _, a := range d.out {
			if !hasID(s.out, a.ID) && !hidden(a) {
				continue next
			}
		}
		switch {
		case hit == nil || d.depth < hit.depth:
			hit = d
		case d.depth == hit.depth && !sameIDs(d.out, hit.out):
			return nil, errs.New(errs.Analysis, "AMBIGUOUS_COLUMN_REFERENCE", "name", starName).At(star.Origin)
		}
	}
	if hit == nil {
		return nil, aerr("CANNOT_RESOLVE_DATAFRAME_COLUMN", "name", starName).At(star.Origin)
	}
	out := make([]*plan.Attr, len(hit.out))
	for i, a := range hit.out {
		if out[i] = byID(s.out, a.ID); out[i] == nil {
			s.missing = addAttr(s.missing, a)
			out[i] = a
		}
	}
	return out, nil
}

func sameIDs(a, b []*plan.Attr) bool {
	for i := range a {
		if i >= len(b) || a[i].ID != b[i].ID {
			return false
		}
	}
	return len(a) == len(b)
}
