package fn

import "slices"

// timSort is the sort of Java's arrays of objects, after Tim Peters' listsort: natural runs, short ones
// lengthened by binary insertion, are merged, and a merge gallops while one side keeps winning. Every
// stable sort gives the same for an order; this one also gives what Spark does for comparisons that are
// none, as they are asked for in the same pairs and sequence.
type timSort struct {
	a       []int32
	cmp     func(x, y int32) int
	runs    []sortedRun
	tmp     []int32
	gallop  int  // wins in a row after which a merge gallops
	illegal bool // a merge found that cmp contradicts itself: Java throws, and a is not sorted
}

type sortedRun struct{ base, n int }

const (
	timMinMerge  = 32 // shorter arrays are sorted by binary insertion alone
	timMinGallop = 7
)

// sortAsJava sorts a; false: the comparisons contradict each other, and the order of a means nothing.
func sortAsJava(a []int32, cmp func(x, y int32) int) bool {
	t := &timSort{a: a, cmp: cmp, gallop: timMinGallop}
	if len(a) < timMinMerge {
		if len(a) > 1 {
			t.insert(0, len(a), t.ascend(0))
		}
		return true
	}
	least, odd := len(a), 0
	for least >= timMinMerge {
		odd |= least & 1
		least >>= 1
	}
	least += odd
	for from := 0; from < len(a); {
		n := t.ascend(from)
		if n < least {
			m := min(least, len(a)-from)
			t.insert(from, from+m, from+n)
			n = m
		}
		t.runs = append(t.runs, sortedRun{from, n})
		t.collapse()
		from += n
	}
	for len(t.runs) > 1 {
		k := len(t.runs) - 2
		if k > 0 && t.runs[k-1].n < t.runs[k+1].n {
			k--
		}
		t.merge(k)
	}
	return !t.illegal
}

// ascend is the length of the run at from; a strictly descending one is turned round.
func (t *timSort) ascend(from int) int {
	a := t.a
	to := from + 1
	if to == len(a) {
		return 1
	}
	down := t.cmp(a[to], a[from]) < 0
	for to++; to < len(a) && (t.cmp(a[to], a[to-1]) < 0) == down; to++ {
	}
	if down {
		slices.Reverse(a[from:to])
	}
	return to - from
}

// insert sorts a[from:to], of which a[from:next] is sorted.
func (t *timSort) insert(from, to, next int) {
	a := t.a
	for ; next < to; next++ {
		x := a[next]
		left, right := from, next
		for left < right {
			mid := (left + right) / 2
			if t.cmp(x, a[mid]) < 0 {
				right = mid
			} else {
				left = mid + 1
			}
		}
		copy(a[left+1:next+1], a[left:next])
		a[left] = x
	}
}

// collapse merges until each run is longer than the next, and than the two after it together.
func (t *timSort) collapse() {
	for len(t.runs) > 1 {
		r, k := t.runs, len(t.runs)-2
		switch {
		case k > 0 && r[k-1].n <= r[k].n+r[k+1].n, k > 1 && r[k-2].n <= r[k].n+r[k-1].n:
			if r[k-1].n < r[k+1].n {
				k--
			}
		case r[k].n > r[k+1].n:
			return
		}
		t.merge(k)
	}
}

// merge merges the runs k and k+1.
func (t *timSort) merge(k int) {
	x, y := t.runs[k], t.runs[k+1]
	t.runs[k].n += y.n
	t.runs = slices.Delete(t.runs, k+1, k+2)
	if t.illegal {
		return
	}
	a := t.a
	skip := t.after(a[y.base], a[x.base:x.base+x.n], 0) // already in place
	x.base, x.n = x.base+skip, x.n-skip
	if x.n == 0 {
		return
	}
	if y.n = t.before(a[x.base+x.n-1], a[y.base:y.base+y.n], y.n-1); y.n == 0 {
		return
	}
	if x.n <= y.n {
		t.mergeUp(x, y)
	} else {
		t.mergeDown(x, y)
	}
}

// before is where key belongs in the sorted s, left of what equals it; the search widens from hint.
func (t *timSort) before(key int32, s []int32, hint int) int {
	return t.place(s, hint, func(x int32) bool { return t.cmp(key, x) > 0 })
}

// after is where key belongs in the sorted s, right of what equals it.
func (t *timSort) after(key int32, s []int32, hint int) int {
	return t.place(s, hint, func(x int32) bool { return t.cmp(key, x) >= 0 })
}

// place is how many of s are left of a key. It looks at steps of 1, 3, 7 ... from hint, then halves.
func (t *timSort) place(s []int32, hint int, left func(x int32) bool) int {
	last, at := 0, 1
	if left(s[hint]) {
		most := len(s) - hint
		for at < most && left(s[hint+at]) {
			last, at = at, 2*at+1
		}
		last, at = hint+last, hint+min(at, most)
	} else {
		most := hint + 1
		for at < most && !left(s[hint-at]) {
			last, at = at, 2*at+1
		}
		last, at = hint-min(at, most), hint-last
	}
	for last++; last < at; {
		mid := last + (at-last)/2
		if left(s[mid]) {
			last = mid + 1
		} else {
			at = mid
		}
	}
	return at
}

// mergeUp merges two runs from their beginnings; the first, the shorter, is set aside.
func (t *timSort) mergeUp(x, y sortedRun) {
	a := t.a
	t.tmp = append(t.tmp[:0], a[x.base:x.base+x.n]...)
	p, q, dst := t.tmp, a[y.base:y.base+y.n], a[x.base:x.base]
	takeP := func(n int) { dst, p = append(dst, p[:n]...), p[n:] }
	takeQ := func(n int) { dst, q = append(dst, q[:n]...), q[n:] }
	defer func() {
		if len(p) == 0 {
			t.illegal = true
			return
		}
		if len(p) == 1 {
			takeQ(len(q))
		}
		takeP(len(p))
	}()
	takeQ(1)
	if len(q) == 0 || len(p) == 1 {
		return
	}
	gallop := t.gallop
	defer func() { t.gallop = max(gallop, 1) }()
	for {
		winsP, winsQ := 0, 0
		for winsP|winsQ < gallop {
			if t.cmp(q[0], p[0]) < 0 {
				takeQ(1)
				winsP, winsQ = 0, winsQ+1
				if len(q) == 0 {
					return
				}
			} else {
				takeP(1)
				winsP, winsQ = winsP+1, 0
				if len(p) == 1 {
					return
				}
			}
		}
		for {
			if winsP = t.after(q[0], p, 0); winsP > 0 {
				takeP(winsP)
				if len(p) <= 1 {
					return
				}
			}
			takeQ(1)
			if len(q) == 0 {
				return
			}
			if winsQ = t.before(p[0], q, 0); winsQ > 0 {
				takeQ(winsQ)
				if len(q) == 0 {
					return
				}
			}
			takeP(1)
			if len(p) == 1 {
				return
			}
			gallop--
			if winsP < timMinGallop && winsQ < timMinGallop {
				break
			}
		}
		gallop = max(gallop, 0) + 2
	}
}

// mergeDown merges two runs from their ends; the second, the shorter, is set aside.
func (t *timSort) mergeDown(x, y sortedRun) {
	a := t.a
	t.tmp = append(t.tmp[:0], a[y.base:y.base+y.n]...)
	p, q, end := a[x.base:x.base+x.n], t.tmp, y.base+y.n
	take := func(s []int32, n int) []int32 {
		copy(a[end-n:end], s[len(s)-n:])
		end -= n
		return s[:len(s)-n]
	}
	defer func() {
		if len(q) == 0 {
			t.illegal = true
			return
		}
		if len(q) == 1 {
			p = take(p, len(p))
		}
		q = take(q, len(q))
	}()
	p = take(p, 1)
	if len(p) == 0 || len(q) == 1 {
		return
	}
	gallop := t.gallop
	defer func() { t.gallop = max(gallop, 1) }()
	for {
		winsP, winsQ := 0, 0
		for winsP|winsQ < gallop {
			if t.cmp(q[len(q)-1], p[len(p)-1]) < 0 {
				p = take(p, 1)
				winsP, winsQ = winsP+1, 0
				if len(p) == 0 {
					return
				}
			} else {
				q = take(q, 1)
				winsP, winsQ = 0, winsQ+1
				if len(q) == 1 {
					return
				}
			}
		}
		for {
			if winsP = len(p) - t.after(q[len(q)-1], p, len(p)-1); winsP > 0 {
				p = take(p, winsP)
				if len(p) == 0 {
					return
				}
			}
			q = take(q, 1)
			if len(q) == 1 {
				return
			}
			if winsQ = len(q) - t.before(p[len(p)-1], q, len(q)-1); winsQ > 0 {
				q = take(q, winsQ)
				if len(q) <= 1 {
					return
				}
			}
			p = take(p, 1)
			if len(p) == 0 {
				return
			}
			gallop--
			if winsP < timMinGallop && winsQ < timMinGallop {
				break
			}
		}
		gallop = max(gallop, 0) + 2
	}
}
