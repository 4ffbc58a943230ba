package wire

import (
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"encoding/binary"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

const magic = "NW"

// maxDepth bounds how deep values may be nested, as a goroutine's stack is bounded.
const maxDepth = 20_000

// codec writes and reads values of one type. The functions stop at the first
// error, which they leave in the encoder or decoder.
type codec struct {
	enc func(e *encoder, v reflect.Value)
	dec func(d *decoder, v reflect.Value) // v is settable and zero
}

var codecs sync.Map // reflect.Type -> *codec

var (
	nodeType   = reflect.TypeFor[physical.Node]()
	sourceType = reflect.TypeFor[plan.Source]()
	batchesTyp = reflect.TypeFor[[]*vec.Batch]()
	zoneType   = reflect.TypeFor[*time.Location]()
	sqlType    = reflect.TypeFor[types.Type]()
	byteSlice  = reflect.TypeFor[[]byte]()
)

// codecOf returns the codec of a type, made the first time.
func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	// A type may contain itself: the codecs of its parts are looked up when they
	// are first used.
	c := compile(t)
	codecs.Store(t, c)
	return c
}

// lazy is codecOf, when it is first used.
func lazy(t reflect.Type) func() *codec {
	return sync.OnceValue(func() *codec { return codecOf(t) })
}

func compile(t reflect.Type) *codec {
	switch t {
	case zoneType:
		return &codec{encZone, decZone}
	case batchesTyp:
		return &codec{encBatches, decBatches}
	case byteSlice:
		return &codec{
			func(e *encoder, v reflect.Value) {
				if v.IsNil() {
					e.uint(0)
					return
				}
				e.uint(uint64(v.Len()) + 1)
				e.buf = append(e.buf, v.Bytes()...)
			},
			func(d *decoder, v reflect.Value) {
				if n := d.uint(); n > 0 {
					if b := d.bytes(n - 1); d.err == nil {
						v.SetBytes(append(make([]byte, 0, len(b)), b...))
					}
				}
			},
		}
	case sourceType:
		return &codec{encSource, decSource}
	}
	switch t.Kind() {
	case reflect.Bool:
		return &codec{
			func(e *encoder, v reflect.Value) {
				b := byte(0)
				if v.Bool() {
					b = 1
				}
				e.buf = append(e.buf, b)
			},
			func(d *decoder, v reflect.Value) {
				switch b := d.bytes(1); {
				case d.err != nil:
				case b[0] > 1:
					d.corrupt("a boolean of %d", b[0])
				default:
					v.SetBool(b[0] == 1)
				}
			},
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &codec{
			func(e *encoder, v reflect.Value) { e.buf = binary.AppendVarint(e.buf, v.Int()) },
			func(d *decoder, v reflect.Value) {
				u := d.uint()
				x := int64(u>>1) ^ -int64(u&1)
				if v.OverflowInt(x) {
					d.corrupt("%d doesn't fit %s", x, t)
					return
				}
				v.SetInt(x)
			},
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &codec{
			func(e *encoder, v reflect.Value) { e.uint(v.Uint()) },
			func(d *decoder, v reflect.Value) {
				x := d.uint()
				if v.OverflowUint(x) {
					d.corrupt("%d doesn't fit %s", x, t)
					return
				}
				v.SetUint(x)
			},
		}
	case reflect.Float32:
		return &codec{
			func(e *encoder, v reflect.Value) {
				e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(float32(v.Float())))
			},
			func(d *decoder, v reflect.Value) {
				if b := d.bytes(4); d.err == nil {
					v.SetFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
				}
			},
		}
	case reflect.Float64:
		return &codec{
			func(e *encoder, v reflect.Value) { e.fixed64(math.Float64bits(v.Float())) },
			func(d *decoder, v reflect.Value) { v.SetFloat(math.Float64frombits(d.fixed64())) },
		}
	case reflect.String:
		return &codec{
			func(e *encoder, v reflect.Value) { e.string(v.String()) },
			func(d *decoder, v reflect.Value) { v.SetString(d.string()) },
		}
	case reflect.Slice:
		return sliceCodec(t)
	case reflect.Map:
		return mapCodec(t)
	case reflect.Struct:
		return structCodec(t)
	case reflect.Pointer:
		return pointerCodec(t)
	case reflect.Interface:
		return interfaceCodec(t)
	}
	return refusing(&RefusedError{What: t.String(), Why: "there is no encoding of it"})
}

// refusing takes nil, and refuses the rest.
func refusing(why error) *codec {
	return &codec{
		func(e *encoder, v reflect.Value) {
			switch v.Kind() {
			case reflect.Func, reflect.Chan, reflect.UnsafePointer:
				if v.IsNil() {
					return
				}
			}
			e.fail(why)
		},
		func(d *decoder, v reflect.Value) {
			switch v.Kind() {
			case reflect.Func, reflect.Chan, reflect.UnsafePointer:
				return
			}
			d.fail(why)
		},
	}
}

func sliceCodec(t reflect.Type) *codec {
	elem, size := lazy(t.Elem()), t.Elem().Size()
	return &codec{
		func(e *encoder, v reflect.Value) {
			if v.IsNil() {
				e.uint(0)
				return
			}
			n := v.Len()
			e.uint(uint64(n) + 1)
			c := elem()
			for i := 0; i < n && e.err == nil; i++ {
				c.enc(e, v.Index(i))
			}
		},
		func(d *decoder, v reflect.Value) {
			n, ok := d.length()
			if !ok {
				return
			}
			if !d.down() {
				return
			}
			defer d.up()
			// Memory follows what has come, not what is said to come.
			s := reflect.MakeSlice(t, 0, min(n, 4096/max(int(size), 1)+1))
			c := elem()
			for i := 0; i < n && d.err == nil; i++ {
				s = grow(s)
				c.dec(d, s.Index(i))
			}
			v.Set(s)
		},
	}
}

// grow adds a zero element.
func grow(s reflect.Value) reflect.Value {
	n := s.Len()
	if n == s.Cap() {
		big := reflect.MakeSlice(s.Type(), n, 2*n+1)
		reflect.Copy(big, s)
		s = big
	}
	return s.Slice(0, n+1)
}

func mapCodec(t reflect.Type) *codec {
	if t.Key().Kind() != reflect.String {
		return refusing(&RefusedError{What: t.String(), Why: "its keys aren't strings"})
	}
	elem := lazy(t.Elem())
	return &codec{
		func(e *encoder, v reflect.Value) {
			if v.IsNil() {
				e.uint(0)
				return
			}
			keys := v.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			e.uint(uint64(len(keys)) + 1)
			c := elem()
			for _, k := range keys {
				e.string(k.String())
				c.enc(e, v.MapIndex(k))
			}
		},
		func(d *decoder, v reflect.Value) {
			n, ok := d.length()
			if !ok || !d.down() {
				return
			}
			defer d.up()
			m := reflect.MakeMap(t)
			c := elem()
			for i := 0; i < n && d.err == nil; i++ {
				k := reflect.New(t.Key()).Elem()
				k.SetString(d.string())
				x := reflect.New(t.Elem()).Elem()
				c.dec(d, x)
				m.SetMapIndex(k, x)
			}
			if d.err == nil && m.Len() != n {
				d.corrupt("a map has a key twice")
			}
			v.Set(m)
		},
	}
}

func structCodec(t reflect.Type) *codec {
	parts := make([]func() *codec, t.NumField())
	for i := range parts {
		f := t.Field(i)
		if !f.IsExported() {
			return refusing(&RefusedError{What: t.String(), Why: "its field " + f.Name + " isn't exported"})
		}
		parts[i] = lazy(f.Type)
	}
	c := &codec{
		func(e *encoder, v reflect.Value) {
			for i := 0; i < len(parts) && e.err == nil; i++ {
				parts[i]().enc(e, v.Field(i))
			}
		},
		func(d *decoder, v reflect.Value) {
			for i := 0; i < len(parts) && d.err == nil; i++ {
				parts[i]().dec(d, v.Field(i))
			}
		},
	}
	if t == sqlType {
		dec := c.dec
		c.dec = func(d *decoder, v reflect.Value) {
			if dec(d, v); d.err == nil && !sound(v.Addr().Interface().(*types.Type)) {
				d.corrupt("a type without its parts")
			}
		}
	}
	return c
}

// sound reports whether a type has the parts that its kind needs, as all code
// that meets one relies on.
func sound(t *types.Type) bool {
	switch t.Kind {
	case types.Array:
		return t.Elem != nil
	case types.Map:
		return t.Key != nil && t.Elem != nil
	case types.Struct:
		for i := range t.Fields {
			if t.Fields[i].Type == nil {
				return false
			}
		}
	case types.YearMonthInterval:
		return t.Start <= t.End && t.End <= types.Month
	case types.DayTimeInterval:
		return t.Start <= t.End && t.End <= types.Second
	}
	return t.Kind <= types.Geography
}

func pointerCodec(t reflect.Type) *codec {
	elem := lazy(t.Elem())
	return &codec{
		func(e *encoder, v reflect.Value) {
			if v.IsNil() {
				e.uint(0)
				return
			}
			key := pointer{t, v.UnsafePointer()}
			if k, ok := e.pointers[key]; ok {
				e.uint(k + 1)
				return
			}
			if e.depth++; e.depth > maxDepth/4 { // a level here is up to three of the reader's
				e.fail(&RefusedError{What: t.String(), Why: "it is nested too deep"})
				return
			}
			e.uint(1)
			elem().enc(e, v.Elem())
			e.depth--
			// Numbered when it is done: what refers to itself can't be read back.
			e.pointers[key] = uint64(len(e.pointers) + 1)
		},
		func(d *decoder, v reflect.Value) {
			switch k := d.uint(); {
			case d.err != nil || k == 0:
			case k == 1:
				if !d.down() {
					return
				}
				p := reflect.New(t.Elem())
				elem().dec(d, p.Elem())
				d.up()
				d.pointers = append(d.pointers, p)
				v.Set(p)
			case k-2 >= uint64(len(d.pointers)):
				d.corrupt("pointer %d of %d", k-2, len(d.pointers))
			default:
				p := d.pointers[k-2]
				if p.Type() != t {
					d.corrupt("a pointer of type %s, not %s", p.Type(), t)
					return
				}
				v.Set(p)
			}
		},
	}
}

func interfaceCodec(t reflect.Type) *codec {
	return &codec{
		func(e *encoder, v reflect.Value) {
			if v.IsNil() {
				if t == nodeType {
					e.fail(&RefusedError{What: "a plan", Why: "an operator has no input"})
					return
				}
				e.uint(0)
				return
			}
			x := v.Elem()
			n, ok := numbers[x.Type()]
			if !ok {
				e.fail(whyRefused(x.Type()))
				return
			}
			e.uint(n)
			codecOf(x.Type()).enc(e, x)
		},
		func(d *decoder, v reflect.Value) {
			n := d.uint()
			if n == 0 && t == nodeType {
				d.corrupt("an operator has no input")
			}
			if d.err != nil || n == 0 {
				return
			}
			if n > uint64(len(registry)) {
				d.corrupt("a value of an unknown type, number %d", n)
				return
			}
			rt := registry[n-1]
			if !rt.AssignableTo(t) {
				d.corrupt("a %s where a %s belongs", rt, t)
				return
			}
			if !d.down() {
				return
			}
			defer d.up()
			x := reflect.New(rt).Elem()
			codecOf(rt).dec(d, x)
			if d.err == nil && rt.Kind() == reflect.Pointer && x.IsNil() {
				d.corrupt("a nil %s", rt)
			}
			v.Set(x)
		},
	}
}

var fingerprints sync.Map // reflect.Type -> uint64

// fingerprint tells whether two builds agree in what a message of type root may hold.
func fingerprint(root reflect.Type) uint64 {
	if f, ok := fingerprints.Load(root); ok {
		return f.(uint64)
	}
	h := fnv.New64a()
	var order [8]byte
	binary.NativeEndian.PutUint64(order[:], 0x0102030405060708)
	h.Write(order[:])
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		fmt.Fprintf(h, "%s %s;", t, t.Kind())
		if seen[t] || t == zoneType || t == batchesTyp {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Struct:
			for i := range t.NumField() {
				fmt.Fprintf(h, "%s:", t.Field(i).Name)
				visit(t.Field(i).Type)
			}
		case reflect.Map:
			visit(t.Key())
			visit(t.Elem())
		case reflect.Pointer, reflect.Slice:
			visit(t.Elem())
		}
	}
	visit(root)
	for _, t := range registry {
		visit(t)
	}
	f := h.Sum64()
	fingerprints.Store(root, f)
	return f
}

// Fingerprint tells whether two builds agree in what stages, and messages of
// the types of values, may hold.
func Fingerprint(values ...any) uint64 {
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], fingerprint(reflect.TypeFor[Stage]()))
	h.Write(b[:])
	for _, v := range values {
		binary.LittleEndian.PutUint64(b[:], fingerprint(reflect.TypeOf(v)))
		h.Write(b[:])
	}
	return h.Sum64()
}
