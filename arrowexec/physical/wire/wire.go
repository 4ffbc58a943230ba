// Package wire turns the stages of a physical plan into bytes and back, so
// that a task can run in another process than the one that planned it.
//
// A message is two letters, a version, a fingerprint and a value. The version
// is that of the rules below; the fingerprint is of the Go types that take part
// (their names, fields and order) and of the machine's byte order. Both ends must
// be of one build, or of builds that agree in all of this: anything else is
// refused with a VersionError, never guessed at.
//
// Values are written field after field, without names:
//
//	bool                 one byte, 0 or 1
//	int.., uint..        varint (zigzag when signed); int8 and uint8 too
//	float32, float64     their bits, 4 or 8 bytes, little endian
//	string               0 and then length and bytes, the first time; k: the k-th string that came before
//	slice, map           0 for nil, else length + 1; keys of maps are sorted
//	pointer              0 for nil; 1 and then what it points to, the first time; k + 1: the k-th pointer that came before
//	interface            0 for nil, else the number of the type in the registry, and the value
//	*time.Location       its name
//	[]*vec.Batch         by batch the types of the columns, and package vec's flat form
//
// Pointers that were equal are equal again: a plan is a graph, not a tree. What
// is in the registry (registry.go) crosses; all else is refused by name
// (RefusedError): closures, channels, rows that live in this process only.
package wire

import (
	"errors"
	"fmt"
	"reflect"

	"neptune/arrowexec/physical"
	"neptune/internal/plan"
)

// Version is that of the encoding's rules.
const Version = 1

// Stage is what an executor needs to know of a stage. All of its tasks share
// one, so decode it once: tables that tasks share are found by the identity of
// the expressions in it.
type Stage struct {
	ID   int
	Root physical.Node
	// Output is where the rows go; nil: to the client.
	Output *physical.Exchange
}

// Source is a plan.Source that can be opened in another process.
type Source interface {
	plan.Source
	// Wire returns the name of the function that opens it again, and that
	// function's argument. An error says why it can't cross.
	Wire() (kind string, state []byte, err error)
}

// Sources opens sources that crossed, by the kind that Source.Wire gave.
type Sources map[string]func(state []byte) (plan.Source, error)

// ErrCorrupt is the error of bytes that Encode didn't write.
var ErrCorrupt = errors.New("wire: corrupt message")

// VersionError is the error of a message that another build wrote.
type VersionError struct {
	Got, Want   uint64
	Fingerprint bool // the versions are equal, but the types aren't
}

func (e *VersionError) Error() string {
	if e.Fingerprint {
		return "wire: the message was written by another build of this program"
	}
	return fmt.Sprintf("wire: the message is of version %d, this program reads version %d", e.Got, e.Want)
}

// RefusedError is the error of a plan that holds what can't cross. Where such
// a plan runs at all, it runs in the process that made it.
type RefusedError struct {
	What string // the thing's type or name
	Why  string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("wire: %s can't go to another process: %s", e.What, e.Why)
}

// Encode writes a stage. Exchanges in it are leaves: of what is below them only
// the schema crosses.
func Encode(s *Stage) ([]byte, error) {
	c := cutter{made: map[physical.Node]physical.Node{}}
	out := Stage{ID: s.ID, Root: c.cut(s.Root)}
	if s.Output != nil {
		x := *s.Output
		x.Input = stub(s.Root)
		out.Output = &x
	}
	return Marshal(&out)
}

// Decode reads what Encode wrote.
func Decode(data []byte, sources Sources) (*Stage, error) {
	s := &Stage{}
	if err := Unmarshal(data, s, sources); err != nil {
		return nil, err
	}
	return s, nil
}

// Marshal writes the value that v points to. Its type may have what package
// doc lists, in exported fields.
func Marshal(v any) ([]byte, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return nil, fmt.Errorf("wire: Marshal wants a pointer, not %T", v)
	}
	t := p.Type().Elem()
	e := &encoder{strings: map[string]uint64{}, pointers: map[pointer]uint64{}}
	e.buf = append(e.buf, magic...)
	e.uint(Version)
	e.fixed64(fingerprint(t))
	codecOf(t).enc(e, p.Elem())
	if e.err != nil {
		return nil, e.err
	}
	return e.buf, nil
}

// Unmarshal reads what Marshal wrote of the same type into what v points to. sources may
// be nil if no source can come.
func Unmarshal(data []byte, v any, sources Sources) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("wire: Unmarshal wants a pointer, not %T", v)
	}
	t := p.Type().Elem()
	d := &decoder{src: data, sources: sources}
	if string(d.bytes(uint64(len(magic)))) != magic {
		return fmt.Errorf("%w: it doesn't begin like one", ErrCorrupt)
	}
	if got := d.uint(); d.err == nil && got != Version {
		return &VersionError{Got: got, Want: Version}
	}
	if got := d.fixed64(); d.err == nil && got != fingerprint(t) {
		return &VersionError{Got: Version, Want: Version, Fingerprint: true}
	}
	fresh := reflect.New(t).Elem()
	if d.err == nil {
		codecOf(t).dec(d, fresh)
	}
	if d.err == nil && len(d.src) > 0 {
		d.corrupt("%d bytes too many", len(d.src))
	}
	if d.err != nil {
		return d.err
	}
	p.Elem().Set(fresh)
	return nil
}

// cutter copies a stage's plan with its exchanges as leaves. Nodes that are
// reached twice stay one.
type cutter struct {
	made map[physical.Node]physical.Node
}

func (c *cutter) cut(n physical.Node) physical.Node {
	if n == nil {
		return nil
	}
	if m, ok := c.made[n]; ok {
		return m
	}
	m := n
	if x, ok := n.(*physical.Exchange); ok {
		k := *x
		k.Input = stub(x.Input)
		m = &k
	} else {
		m = plan.MapChildren(n, c.cut)
	}
	c.made[n] = m
	return m
}

// stub has n's schema and no rows.
func stub(n physical.Node) physical.Node {
	if n == nil {
		return nil
	}
	return &physical.Local{Out: n.Schema()}
}
