package fn

import (
	"slices"
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// Accepts reports whether a parameter takes a value of type t as it is.
func (a *Accept) Accepts(t *types.Type) bool {
	if a.Lambda > 0 {
		return true
	}
	if a.Test != nil {
		return t != nil && a.Test(t)
	}
	if len(a.Types) == 0 {
		return true
	}
	for _, want := range a.Types {
		if sameFamily(t, want) {
			return true
		}
	}
	return false
}

// sameFamily is equality but for what kernels don't care about: lengths,
// interval fields, decimal digits, and what is inside of nested types.
func sameFamily(t, want *types.Type) bool {
	if t == nil {
		return false
	}
	if t.IsString() {
		return want.IsString()
	}
	return t.Kind == want.Kind
}

// Pick returns the first overload that takes arguments of these types; nil: none does.
// The type of a lambda argument isn't looked at.
func (d *Def) Pick(args []*types.Type) *Overload {
	for i := range d.Overloads {
		if d.Overloads[i].takes(args) {
			return &d.Overloads[i]
		}
	}
	return nil
}

func (o *Overload) takes(args []*types.Type) bool {
	n := len(o.Params)
	switch {
	case !o.Variadic && len(args) != n,
		o.Variadic && o.VarMin0 && len(args) < n-1,
		o.Variadic && !o.VarMin0 && len(args) < n:
		return false
	}
	for i, t := range args {
		if !o.Params[min(i, n-1)].Accepts(t) {
			return false
		}
	}
	return true
}

// The parameters that most functions are made of.
var (
	anyP      = Accept{Name: "ANY", Test: func(*types.Type) bool { return true }}
	boolP     = Accept{Types: []*types.Type{types.BoolType}}
	int32P    = Accept{Types: []*types.Type{types.Int32Type}}
	int64P    = Accept{Types: []*types.Type{types.Int64Type}}
	doubleP   = Accept{Types: []*types.Type{types.Float64Type}}
	stringP   = Accept{Types: []*types.Type{types.StringType}}
	binaryP   = Accept{Types: []*types.Type{types.BinaryType}}
	dateP     = Accept{Types: []*types.Type{types.DateType}}
	tsP       = Accept{Types: []*types.Type{types.TimestampType}}
	ntzP      = Accept{Types: []*types.Type{types.TimestampNTZType}}
	timeP     = Accept{Types: []*types.Type{types.TimeType}}
	numericP  = Accept{Name: "NUMERIC", Types: []*types.Type{types.Float64Type}, Test: (*types.Type).IsNumeric}
	integralP = Accept{Name: "INTEGRAL", Types: []*types.Type{types.Int32Type}, Test: (*types.Type).IsIntegral, Exact: true}
	// itemP is the position of an array's element.
	itemP = Accept{Name: "INT", Test: func(t *types.Type) bool { return t.IsIntegral() && t.Kind != types.Int64 }, Exact: true}
	// stampP is a timestamp, with a time zone or without.
	stampP = Accept{Name: `("(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)" or "(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])")`, Types: []*types.Type{types.TimestampType},
		Test: func(t *types.Type) bool { return t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ }, Exact: true}
	dayTimeP   = Accept{Name: "INTERVAL DAY TO SECOND", Types: []*types.Type{types.DayTimeType}}
	yearMonthP = Accept{Name: "INTERVAL YEAR TO MONTH", Types: []*types.Type{types.YearMonthType}}
	calendarP  = Accept{Name: "INTERVAL", Types: []*types.Type{types.CalendarType}}
	arrayP     = Accept{Name: "ARRAY", Untyped: types.NewArray(types.NullType, true), Test: func(t *types.Type) bool { return t.Kind == types.Array }}
	typedListP = Accept{Name: "ARRAY", Test: func(t *types.Type) bool { return t.Kind == types.Array }} // not of a NULL
	mapP       = Accept{Name: "MAP", Untyped: types.NewMap(types.NullType, types.NullType, true), Test: func(t *types.Type) bool { return t.Kind == types.Map }}
	// numberOrIntervalP is what + and - work on.
	numberOrIntervalP = Accept{Name: `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`, Test: isNumberOrInterval}
	intervalP         = Accept{Name: `("INTERVAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`, Test: isInterval}
)

func isInterval(t *types.Type) bool {
	return t.Kind == types.CalendarInterval || t.IsAnsiInterval()
}

func isNumberOrInterval(t *types.Type) bool { return t.IsNumeric() || isInterval(t) }

type retFn = func([]*types.Type) (*types.Type, error)

// gives is the Ret of a function of one result type.
func gives(t *types.Type) retFn {
	return func([]*types.Type) (*types.Type, error) { return t, nil }
}

// givesArg is the Ret of a function that gives the type of its i-th argument.
func givesArg(i int) retFn {
	return func(args []*types.Type) (*types.Type, error) { return args[i], nil }
}

// params makes a list.
func params(a ...Accept) []Accept { return a }

// sig makes an overload.
func sig(ret retFn, k Kernel, a ...Accept) Overload { return Overload{Params: a, Ret: ret, Eval: k} }

// ansiKey is how messages name the setting that turns ANSI errors off.
const ansiKey = `"spark.sql.ansi.enabled"`

// pos is where the call stands.
func (a *Args) pos() *errs.Origin {
	if a.Call == nil {
		return nil
	}
	return a.Call.Pos()
}

func (a *Args) skipped(i int) bool { return a.Skip != nil && a.Skip[i] }

// operand returns argument i as a slice and a mask for its index: all ones,
// or 0 where the argument is one value repeated.
func operand[T vec.Fixed](a *Args, i int) ([]T, int) {
	s := vec.Of[T](a.V[i])
	if a.Const[i] != nil {
		return s[:1], 0
	}
	return s, -1
}

// result is memory of unknown contents for the kernel's result, of Env.Pool: for
// kernels that write each value, and keep no hold of them.
func result[T vec.Fixed](a *Args) []T {
	out := vec.Scratch[T](a.Env.Pool, a.N)
	if a.Env.Pool != nil {
		a.Took = vec.AsBytes(out)
	}
	return out
}

// state returns the kernel's memory of type T, made by make0 at first.
func state[T any](a *Args, make0 func() (T, error)) (T, error) {
	if a.State != nil {
		if s, ok := (*a.State).(T); ok {
			return s, nil
		}
	}
	s, err := make0()
	if err == nil && a.State != nil {
		*a.State = s
	}
	return s, err
}

// yieldEach is how many rows a slow loop does between two yields.
const yieldEach = 512

// yields gives way now and then; call it with the row's number.
func (a *Args) yields(i int) error {
	if i%yieldEach == yieldEach-1 {
		return a.Env.Yield()
	}
	return nil
}

// large is from what size on it's asked whether there's memory for a result: what is smaller is there for a batch anyway.
const large = 64 << 20

// room makes sure that n bytes more may be added to a result that has some: a
// value can't be longer than Java's arrays, and what the task has no memory for is refused before
// it's made. Kernels whose values may be much longer than their arguments call it for each value. It ends
// the kernel by a panic, of which Refused makes an error.
func (a *Args) room(some, n int) {
	if n > maxArray {
		panic(refusal{tooLong(a, n)})
	}
	if n >= large {
		a.fits(some + n)
	}
}

// fits is room for a whole result of n bytes.
func (a *Args) fits(n int) {
	if err := a.Env.Fits(n); err != nil {
		panic(refusal{err})
	}
}

// fillStep is how many bytes are filled between two yield points.
const fillStep = 128 << 10

// fill appends unit n times.
func (a *Args) fill(dst, unit []byte, n int) []byte {
	a.room(len(dst), n*len(unit))
	dst = slices.Grow(dst, n*len(unit))
	step := max(fillStep/max(len(unit), 1), 1)
	for n > 0 {
		for range min(n, step) {
			dst = append(dst, unit...)
		}
		if n -= step; n > 0 {
			if err := a.Env.Yield(); err != nil {
				panic(refusal{err})
			}
		}
	}
	return dst
}

// Grown asks for room as a result grows to n bytes: *next is the size from which on it asks again, 0 at first.
func (e *Env) Grown(next *int, n int) error {
	if n <= max(*next, large) {
		return nil
	}
	*next = 2 * n
	return e.Fits(*next)
}

// grown is Grown within a kernel.
func (a *Args) grown(next *int, n int) {
	if err := a.Env.Grown(next, n); err != nil {
		panic(refusal{err})
	}
}

// listRoom is room for n elements more in a result of lists that has some.
func (a *Args) listRoom(some, n int) {
	if n > maxArray {
		panic(refusal{tooLong(a, n)})
	}
	if n >= large/16 {
		a.fits(12 * (some + n)) // a value and the index of what it comes from
	}
}

type refusal struct{ err error }

// Refused sets *err to what a kernel's request for memory was refused with. Whoever calls kernels defers it.
func Refused(err *error) {
	switch p := recover().(type) {
	case nil:
	case refusal:
		*err = p.err
	default:
		panic(p)
	}
}

// Within is an Env's Fits that allows so many bytes.
func Within(most int) func(int) error {
	return func(n int) error {
		if n > most {
			return errs.New(errs.OutOfMemory, "UNABLE_TO_ACQUIRE_MEMORY", "requestedBytes", strconv.Itoa(n), "receivedBytes", strconv.Itoa(most))
		}
		return nil
	}
}

// setNull marks row i of v; the mask is made when first needed.
func setNull(v *vec.Vector, i int) {
	if v.Null == nil {
		v.Null = make([]bool, v.N)
	}
	v.Null[i] = true
}

// stringBuilder makes a vector of strings or binaries: values are appended in order.
type stringBuilder struct {
	ref  []vec.Ref
	buf  []byte
	null []bool
}

func newStrings(n, bytes int) *stringBuilder {
	return &stringBuilder{ref: make([]vec.Ref, 0, n), buf: make([]byte, 0, bytes)}
}

// end closes the value that the bytes since start are.
func (s *stringBuilder) end(start int) {
	s.ref = append(s.ref, vec.MakeRef(start, len(s.buf)-start))
}

func (s *stringBuilder) add(b []byte) {
	start := len(s.buf)
	s.buf = append(s.buf, b...)
	s.end(start)
}

func (s *stringBuilder) addNull(n int) {
	if s.null == nil {
		s.null = make([]bool, n)
	}
	s.null[len(s.ref)] = true
	s.ref = append(s.ref, 0)
}

func (s *stringBuilder) finish(t *types.Type) *vec.Vector {
	v := vec.FromSlice(t, s.ref, s.null)
	v.Buf = s.buf
	return v
}
