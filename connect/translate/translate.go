// Package translate turns the messages of the Spark Connect protocol into
// logical plans, and types and literals both ways.
//
// It is total: a message that it doesn't know, or that is malformed, gives an
// error that names it. Unknown fields of known messages are left alone, as
// protobuf intends.
package translate

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// MaxDepth is how deeply relations and expressions may nest. Deeper plans are
// refused: everything behind the translation walks plans recursively.
const MaxDepth = 4000

// Parser is the SQL parser, with the options of a session.
type Parser struct {
	Statement func(sql string) (plan.Node, error)
	// Bound parses a statement with arguments for its parameters.
	Bound      func(sql string, positional []plan.Expr, named map[string]plan.Expr) (plan.Node, error)
	Expression func(sql string) (plan.Expr, error)
	DataType   func(text string) (*types.Type, error)
	// Schema reads a column list, "a INT, b STRING", into a struct.
	Schema func(ddl string) (*types.Type, error)
}

// Env is what a translation needs to know of its session.
type Env struct {
	Parser Parser
	ANSI   bool // spark.sql.ansi.enabled
	// Cached returns a block that the client uploaded under cache/<hash>.
	Cached    func(hash string) ([]byte, bool, error)
	SessionID string
	// MaxLocalRelation limits the bytes of one cached local relation; 0 is no limit.
	MaxLocalRelation int64
}

// Translator translates the messages of one request. It is not safe for
// concurrent use.
type protoMessage = proto.Message

type Translator struct {
	env   Env
	depth int
	refs  *scope
}

// scope holds the relations that subqueries refer to by plan id.
type scope struct {
	up   *scope
	rels map[int64]*ref
}

type ref struct {
	rel  *pb.Relation
	node plan.Node
	busy bool
}

// New returns a translator.
func New(env Env) *Translator { return &Translator{env: env} }

// down counts a level of nesting; the function that it returns leaves it.
func (t *Translator) down() (func(), error) {
	if t.depth >= MaxDepth {
		return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("it nests more than %d levels deep.", MaxDepth))
	}
	t.depth++
	return func() { t.depth-- }, nil
}

// invalid is an error of the family CONNECT_INVALID_PLAN.
func invalid(sub string, kv ...string) *errs.Error {
	return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN."+sub, kv...)
}

func missing(m proto.Message, field string) *errs.Error {
	return invalid("FIELD_CANNOT_BE_EMPTY", "fieldName", field, "fullName", string(m.ProtoReflect().Descriptor().FullName()))
}

// noOneof says that a oneof is empty, or holds something newer than our
// protos: then the unknown field's number names it.
func noOneof(m proto.Message, oneof string) *errs.Error {
	r := m.ProtoReflect()
	name := oneof
	if n := unknownField(r); n != 0 {
		name = fmt.Sprintf("%s (unknown field %d)", oneof, n)
	}
	return invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", string(r.Descriptor().FullName()), "name", name)
}

func unknownField(r protoreflect.Message) int32 {
	b := r.GetUnknown()
	if len(b) == 0 {
		return 0
	}
	var tag uint64
	for i := 0; i < len(b) && i < 5; i++ {
		tag |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			break
		}
	}
	return int32(tag >> 3)
}

func badEnum(m proto.Message, e protoreflect.Enum) *errs.Error {
	name := "UNRECOGNIZED"
	if v := e.Descriptor().Values().ByNumber(e.Number()); v != nil {
		name = string(v.Name())
	}
	return invalid("INVALID_ENUM", "fullName", string(m.ProtoReflect().Descriptor().FullName()), "name", name, "number", fmt.Sprint(e.Number()))
}

// refused says that a message is known and not supported; m's own name names it.
func refused(kind string, m proto.Message) error {
	return errs.NotSupported(kind + " " + string(m.ProtoReflect().Descriptor().Name()))
}

func origin(o *pb.Origin) *errs.Origin {
	switch f := o.GetFunction().(type) {
	case *pb.Origin_PythonOrigin:
		return &errs.Origin{CallSite: f.PythonOrigin.GetCallSite(), Fragment: f.PythonOrigin.GetFragment()}
	case *pb.Origin_JvmOrigin:
		j := f.JvmOrigin
		if j.GetSqlText() != "" {
			return &errs.Origin{
				SQL: j.GetSqlText(), Start: int(j.GetStartIndex()), Stop: int(j.GetStopIndex()),
				Line: int(j.GetLine()), Col: int(j.GetStartPosition()), ObjectType: j.GetObjectType(), ObjectName: j.GetObjectName(),
			}
		}
		out := &errs.Origin{}
		for _, e := range j.GetStackTrace() {
			site := fmt.Sprintf("%s.%s(%s:%d)", e.GetDeclaringClass(), e.GetMethodName(), e.GetFileName(), e.GetLineNumber())
			if strings.HasPrefix(e.GetDeclaringClass(), "org.apache.spark.") {
				out.Fragment = e.GetMethodName()
				continue
			}
			out.CallSite = site
			break
		}
		if out.CallSite == "" && out.Fragment == "" {
			return nil
		}
		return out
	}
	return nil
}
