package wire

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

type pointer struct {
	t reflect.Type
	p unsafe.Pointer
}

type encoder struct {
	buf      []byte
	strings  map[string]uint64
	pointers map[pointer]uint64
	depth    int
	err      error
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *encoder) uint(x uint64)    { e.buf = binary.AppendUvarint(e.buf, x) }
func (e *encoder) fixed64(x uint64) { e.buf = binary.LittleEndian.AppendUint64(e.buf, x) }

func (e *encoder) string(s string) {
	if k, ok := e.strings[s]; ok {
		e.uint(k)
		return
	}
	e.strings[s] = uint64(len(e.strings) + 1)
	e.uint(0)
	e.uint(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

type decoder struct {
	src      []byte
	strings  []string
	pointers []reflect.Value
	sources  Sources
	depth    int
	err      error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) corrupt(format string, args ...any) {
	d.fail(fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...)))
}

// down notes one more level of nesting; call up when it returned true.
func (d *decoder) down() bool {
	if d.depth++; d.depth > maxDepth {
		d.corrupt("it is nested too deep")
	}
	return d.err == nil
}

func (d *decoder) up() { d.depth-- }

func (d *decoder) uint() uint64 {
	x, n := binary.Uvarint(d.src)
	if n <= 0 {
		d.corrupt("it ends early")
		d.src = nil
		return 0
	}
	d.src = d.src[n:]
	return x
}

// bytes returns the next n bytes, which are the message's own.
func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.src)) {
		d.corrupt("it ends early")
		d.src = nil
		return nil
	}
	b := d.src[:n:n]
	d.src = d.src[n:]
	return b
}

func (d *decoder) fixed64() uint64 {
	b := d.bytes(8)
	if d.err != nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// length reads that of a slice or map; ok is false for nil, and after an error.
func (d *decoder) length() (n int, ok bool) {
	x := d.uint()
	if d.err != nil || x == 0 {
		return 0, false
	}
	if x-1 > uint64(len(d.src)) { // every element takes a byte at least
		d.corrupt("a list of %d", x-1)
		return 0, false
	}
	return int(x - 1), true
}

func (d *decoder) string() string {
	k := d.uint()
	switch {
	case d.err != nil:
		return ""
	case k == 0:
		s := string(d.bytes(d.uint()))
		if d.err == nil {
			d.strings = append(d.strings, s)
		}
		return s
	case k > uint64(len(d.strings)):
		d.corrupt("string %d of %d", k, len(d.strings))
		return ""
	}
	return d.strings[k-1]
}

func encZone(e *encoder, v reflect.Value) {
	if v.IsNil() {
		e.string("")
		return
	}
	z := v.Interface().(*time.Location)
	if z == time.Local {
		e.fail(&RefusedError{What: "the local time zone", Why: "it is another one elsewhere"})
		return
	}
	e.string(z.String())
}

func decZone(d *decoder, v reflect.Value) {
	name := d.string()
	if d.err != nil || name == "" {
		return
	}
	z, err := types.LoadZone(name)
	if err != nil {
		d.fail(fmt.Errorf("wire: time zone %q: %w", name, err))
		return
	}
	v.Set(reflect.ValueOf(z))
}

var typePointer = reflect.TypeFor[*types.Type]()

func encBatches(e *encoder, v reflect.Value) {
	if v.IsNil() {
		e.uint(0)
		return
	}
	list := v.Interface().([]*vec.Batch)
	e.uint(uint64(len(list)) + 1)
	for _, b := range list {
		e.uint(uint64(len(b.Cols)))
		for _, c := range b.Cols {
			codecOf(typePointer).enc(e, reflect.ValueOf(c.Type))
		}
		flat := vec.AppendBatch(nil, b)
		e.uint(uint64(len(flat)))
		e.buf = append(e.buf, flat...)
	}
}

func decBatches(d *decoder, v reflect.Value) {
	n, ok := d.length()
	if !ok {
		return
	}
	list := []*vec.Batch{}
	for i := 0; i < n && d.err == nil; i++ {
		cols := d.uint()
		if cols > uint64(len(d.src)) {
			d.corrupt("a batch of %d columns", cols)
			return
		}
		schema := []*types.Type{}
		for k := uint64(0); k < cols && d.err == nil; k++ {
			var t *types.Type
			codecOf(typePointer).dec(d, reflect.ValueOf(&t).Elem())
			if d.err == nil && t == nil {
				d.corrupt("a column without a type")
			}
			schema = append(schema, t)
		}
		raw := d.bytes(d.uint())
		if d.err != nil {
			return
		}
		flat := vec.Aligned(len(raw))
		copy(flat, raw)
		b, err := vec.DecodeBatch(schema, flat)
		if err != nil {
			d.corrupt("%v", err)
			return
		}
		list = append(list, b)
	}
	v.Set(reflect.ValueOf(list))
}

func encSource(e *encoder, v reflect.Value) {
	if v.IsNil() {
		e.string("")
		return
	}
	s, ok := v.Interface().(Source)
	if !ok {
		e.fail(&RefusedError{What: fmt.Sprintf("the source %s", v.Interface().(plan.Source).Format()), Why: "its rows are in this process only"})
		return
	}
	kind, state, err := s.Wire()
	if err != nil {
		e.fail(err)
		return
	}
	e.string(kind)
	e.uint(uint64(len(state)))
	e.buf = append(e.buf, state...)
}

func decSource(d *decoder, v reflect.Value) {
	kind := d.string()
	if d.err != nil || kind == "" {
		return
	}
	state := d.bytes(d.uint())
	if d.err != nil {
		return
	}
	open := d.sources[kind]
	if open == nil {
		d.fail(fmt.Errorf("wire: nothing here opens sources of kind %q", kind))
		return
	}
	s, err := open(state)
	if err != nil {
		d.fail(err)
		return
	}
	v.Set(reflect.ValueOf(s))
}
