package op

import (
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// spillSchema is the columns of spilled groups: keys, then states.
func (a *aggCore) spillSchema() []*types.Type {
	out := append([]*types.Type{}, a.keys...)
	for i := range a.aggs {
		out = append(out, a.aggs[i].state...)
	}
	return out
}

// Spill implements mem.Spiller: it writes groups' states to files, by
// partition. Once groups are given out, those of later partitions only.
func (a *aggCore) Spill() (int64, error) {
	if a.busy || a.fixed || a.shift > maxShift || a.mem == nil || a.groups() == 0 {
		return 0, nil
	}
	single := len(a.parts) == 1
	if single && a.emitting {
		return 0, nil
	}
	if a.files == nil {
		a.files = make([]*Spill, 1<<a.bits)
	}
	for k, p := range a.parts {
		if p == nil || a.emitting && k <= a.next {
			continue
		}
		for from := 0; from < p.table.n; from += 4096 {
			b, err := a.states(p, from, min(from+4096, p.table.n))
			if err != nil {
				return 0, err
			}
			if !single {
				if err := a.spillTo(k, b, 0, b.n); err != nil {
					return 0, err
				}
				continue
			}
			if b, err = a.partition(b); err != nil {
				return 0, err
			}
			for i := range a.files {
				if b.from[i] < b.from[i+1] {
					if err := a.spillTo(i, b, b.from[i], b.from[i+1]); err != nil {
						return 0, err
					}
				}
			}
		}
		a.parts[k] = nil
	}
	if single {
		a.parts = make([]*aggPart, 1<<a.bits)
	}
	before := a.mem.Size()
	err := a.mem.Resize(min(before, a.size()))
	return before - a.mem.Size(), err
}

func (a *aggCore) spillTo(k int, b *aggBatch, from, to int) error {
	if a.files[k] == nil {
		if a.disk == nil {
			a.disk = NewSpill(a.c, "aggregate", a.spillSchema())
		}
		a.files[k] = a.disk.Sibling(a.disk.schema)
	}
	out := &vec.Batch{N: to - from, Cols: sliceAll(b.keys, from, to)}
	for _, s := range b.args {
		out.Cols = append(out.Cols, sliceAll(s, from, to)...)
	}
	return a.files[k].AddNow(out)
}

// reread merges the spilled states of the next partition, and what of it is in memory.
func (a *aggCore) reread() error {
	file, p := a.files[a.next], a.parts[a.next]
	if err := file.Flush(a.c); err != nil {
		return err
	}
	child, err := newAggCore(a.c, a.env, a.keys, a.aggs)
	if err != nil {
		return err
	}
	a.child = child
	child.all, child.shift = true, a.shift+a.bits
	child.disk = a.disk.Sibling(a.disk.schema)
	for from := 0; p != nil && from < p.table.n; from += 4096 {
		b, err := a.states(p, from, min(from+4096, p.table.n))
		if err != nil {
			return err
		}
		if err := child.add(b); err != nil {
			return err
		}
	}
	a.parts[a.next] = nil
	if err := a.mem.Resize(min(a.mem.Size(), a.size())); err != nil {
		return err
	}
	r := file.Reader()
	for {
		b, err := r.Next(a.c)
		if eof(err) {
			break
		}
		if err != nil {
			return err
		}
		if err := child.add(a.fromSpill(b)); err != nil {
			return err
		}
	}
	err = file.Close()
	a.files[a.next] = nil
	if err != nil {
		return err
	}
	return child.end()
}

func (a *aggCore) fromSpill(b *vec.Batch) *aggBatch {
	out := &aggBatch{n: b.N, keys: b.Cols[:len(a.keys)], args: make([][]*vec.Vector, len(a.aggs)), keep: make([][]bool, len(a.aggs))}
	at := len(a.keys)
	for i := range a.aggs {
		out.args[i] = b.Cols[at : at+len(a.aggs[i].state)]
		at += len(a.aggs[i].state)
	}
	return out
}
