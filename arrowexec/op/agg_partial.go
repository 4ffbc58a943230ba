package op

import (
	"cmp"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// A partial aggregate need not keep all of its groups: whoever merges its states
// can merge several of one group. So it does what is quickest for the rows that
// come, which it finds out by looking at them:
//
//   - keys come again and again, or there can't be many (agg_direct.go): it groups them all;
//   - hardly a key comes twice: rows become states one by one, at first for a while only;
//   - the rows of a group come together (files are often sorted by a key): old
//     groups are passed on, and the table stays small enough for the cache.

const (
	// earlyRows is after how many rows it decides for the next lookRows, if nearly each
	// (earlyShare) made a group: a short input then has its rows grouped once, by who merges them.
	earlyRows  = 1 << 14
	earlyShare = 0.95
	// lookRows is after how many rows it decides.
	lookRows = 1 << 17
	// passShare: with more groups than that a row, grouping isn't worth it.
	passShare = 0.75
	// Groups are thought to come together if of the last rows at least freshShare as
	// many make new groups as of all, and there are more than fewGroups.
	freshShare = 0.85
	fewGroups  = 1 << 13
	// flushGroups is how many groups are passed on at once.
	flushGroups = 1 << 15
)

// reduction is what a partial aggregate has seen of its rows since it began, or last passed its groups on.
type reduction struct {
	rows       int64
	half       int64 // rows when it had seen half of lookRows
	halfGroups int
	halfPlaces int  // of the array that the table was by then
	together   bool // the rows of a group come together
	early      bool // passing, but only for the rows up to lookRows
	looked     bool // that is over
	settled    bool // it groups all
	flushAt    int  // groups at which they are passed on; 0: flushGroups
}

// look counts n more rows; false: something else is to be done than taking more.
func (h *hashAggregate) look(n int64) (bool, error) {
	if h.settled || len(h.core.parts) != 1 {
		return true, nil
	}
	h.rows += n
	groups := h.core.groups()
	share := float64(groups) / float64(h.rows)
	if h.together {
		if limit := cmp.Or(h.flushAt, flushGroups); groups < limit {
			return true, nil
		}
		if share > passShare {
			h.passing = true
			return false, h.core.end()
		}
		h.rows = 0
		h.flushing = h.core.parts[0]
		return false, h.core.end()
	}
	if !h.looked && h.rows >= earlyRows {
		h.looked = true
		if share > earlyShare && h.core.parts[0].table.direct == nil {
			h.passing, h.early = true, true
			return false, h.core.end()
		}
	}
	if h.half == 0 && h.rows >= lookRows/2 {
		h.half, h.halfGroups, h.halfPlaces = h.rows, groups, len(h.core.parts[0].table.direct)
	}
	if h.rows < lookRows {
		return true, nil
	}
	table := h.core.parts[0].table
	if share > passShare {
		// Keys of a range that doesn't grow with the rows come again some time, and until then cost little.
		if places := len(table.direct); places > 0 && 2*places <= 3*h.halfPlaces {
			h.settled, h.core.whole = true, false
			return true, nil
		}
		h.passing = true
		return false, h.core.end()
	}
	fresh := float64(groups-h.halfGroups) / float64(max(1, h.rows-h.half))
	if groups > fewGroups && fresh >= freshShare*share {
		h.together = true
		table.most = 0 // it is emptied too often to become an array each time
		return h.look(0)
	}
	h.settled, h.core.whole = true, false
	return true, nil
}

// again counts n rows that passed early, and goes back to grouping when they were enough.
func (h *hashAggregate) again(n int64) {
	if h.rows += n; h.rows < lookRows {
		return
	}
	h.early, h.passing, h.drained = false, false, false
	for _, acc := range h.core.parts[0].accs {
		acc.Reset() // of the last row that passed
	}
	h.rows = 0
}

// flush passes the next groups on; nil when there are none left, and it can take more rows.
func (h *hashAggregate) flush(c *task.Ctx, rows int) (*vec.Batch, error) {
	b, err := h.core.emit(rows)
	if b != nil || err != nil {
		return b, err
	}
	p := h.flushing
	h.flushing = nil
	if h.core.files == nil {
		return nil, h.core.refill(p)
	}
	if err := h.core.close(); err != nil {
		return nil, err
	}
	if h.core, err = newAggCore(c, h.env, h.keyTypes(), h.aggs); err != nil {
		h.core = nil
		return nil, err
	}
	h.core.whole = true
	return nil, nil
}

// refill begins anew with an emitted part's memory.
func (a *aggCore) refill(p *aggPart) error {
	if err := p.table.empty(); err != nil {
		return err
	}
	for _, acc := range p.accs {
		acc.Reset()
	}
	a.parts, a.next, a.at, a.emitting = []*aggPart{p}, 0, 0, false
	return nil
}
