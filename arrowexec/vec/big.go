package vec

import (
	"reflect"
	"strings"
	"unsafe"
)

// clearStep is how many bytes are cleared between two yield points.
const clearStep = 128 << 10

// smallObject is the size up to which the runtime has memory at hand that is
// clear already, or soon is.
const smallObject = 32 << 10

// Uncleared returns n values whose contents are whatever was there before: for
// memory that is written before it is read. (strings.Builder is the one way of
// the standard library to memory that the runtime doesn't clear first.) T must
// not hold pointers: it panics.
func Uncleared[T any](n int) []T {
	var z T
	size := n * int(unsafe.Sizeof(z))
	if size <= smallObject {
		return make([]T, n)
	}
	if pointers(reflect.TypeFor[T]()) {
		panic("vec.Uncleared of " + reflect.TypeFor[T]().String())
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteByte(0)
	// An allocation of this size is aligned to a page.
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.StringData(b.String()))), n)
}

// Zeroed returns n zero values. make takes milliseconds for tens of megabytes,
// in one step; this calls yield in between.
func Zeroed[T any](n int, yield func() error) ([]T, error) {
	var z T
	out := Uncleared[T](n)
	step := max(1, clearStep/int(unsafe.Sizeof(z)))
	if n*int(unsafe.Sizeof(z)) <= smallObject {
		return out, nil
	}
	for from := 0; from < n; from += step {
		clear(out[from:min(n, from+step)])
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pointers reports whether the garbage collector has to look into values of t.
func pointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && pointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if pointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return t.Kind() > reflect.Complex128 || t.Kind() == reflect.Invalid
}
