package analyze

import (
	"fmt"
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// nullPartition is the value of a partition column that stands for null.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

// partSpec is PARTITION (a = 1, b): values in the order of the table's
// partition columns, nil where a column has none.
type partSpec struct {
	by     []string
	values []*string
	named  []bool
	static map[string]plan.Expr // by column: the value, of the column's type
	keys   []string             // as written, in the order of the statement
}

func (s *partSpec) complete() bool { return !slices.Contains(s.values, nil) }

// matches reports whether a partition has the values that the spec gives.
func (s *partSpec) matches(values []string) bool {
	for i, v := range s.values {
		if v != nil && values[i] != *v {
			return false
		}
	}
	return true
}

func (s *partSpec) list() []string {
	out := make([]string, 0, len(s.values))
	for _, v := range s.values {
		if v == nil {
			break
		}
		out = append(out, *v)
	}
	return out
}

// text is the spec as errors have it.
func (s *partSpec) text() string {
	var parts []string
	for i, v := range s.values {
		if v != nil {
			parts = append(parts, errs.ID(s.by[i])+" = "+*v)
		}
	}
	return "PARTITION (" + strings.Join(parts, ", ") + ")"
}

func (r *run) noPartition(t *catalog.Table, s *partSpec) error {
	return errs.New(errs.Analysis, "PARTITIONS_NOT_FOUND", "partitionList", s.text(), "tableName", errs.ID(t.Database, t.Name))
}

// partitionSpec resolves the PARTITION clause of a statement.
func (r *run) partitionSpec(t *catalog.Table, c *plan.Command) (*partSpec, error) {
	return r.partitionSpecAt(t, c, "partition", c.Exprs_)
}

func (r *run) partitionSpecAt(t *catalog.Table, c *plan.Command, key string, exprs []plan.Expr) (*partSpec, error) {
	s := &partSpec{by: t.Partitions, values: make([]*string, len(t.Partitions)), named: make([]bool, len(t.Partitions)), static: map[string]plan.Expr{}}
	if c.Flags["identifier"] && key == "partition" && len(exprs) > 0 {
		exprs = exprs[1:] // the name's
	}
	for i := 0; ; i++ {
		name, ok := c.Args[key+itoa(i)]
		if !ok || i >= len(exprs) {
			break
		}
		s.keys = append(s.keys, name)
		at := slices.IndexFunc(t.Partitions, func(p string) bool { return r.eq(p, name) })
		if at < 0 {
			return nil, errs.New(errs.Analysis, "PARTITIONS_NOT_FOUND", "partitionList", errs.ID(name), "tableName", fullName(t)).At(c.Origin)
		}
		if s.named[at] {
			return nil, errs.New(errs.Parse, "DUPLICATE_KEY", "keyColumn", errs.ID(name)).At(c.Origin)
		}
		s.named[at] = true
		if a, dynamic := exprs[i].(*plan.UnresolvedAttr); dynamic && len(a.Parts) == 1 && a.Parts[0] == name {
			continue
		}
		f := t.Schema.Fields[slices.IndexFunc(t.Schema.Fields, func(f types.Field) bool { return f.Name == t.Partitions[at] })]
		x, text, err := r.partitionValue(exprs[i], f)
		if err != nil {
			return nil, err
		}
		if l, ok := exprs[i].(*plan.Literal); ok && l.Value == "" {
			shown := t.Partitions[at] + "="
			if c.Kind == "insert" {
				shown += "Some()"
			}
			return nil, aerr("INVALID_PARTITION_SPEC", "details", "The spec (["+shown+"]) contains an empty partition column value")
		}
		s.values[at], s.static[t.Partitions[at]] = &text, x
	}
	return s, nil
}

// partitionValue is a value for a partition column, and its text in folders.
func (r *run) partitionValue(e plan.Expr, f types.Field) (plan.Expr, string, error) {
	x, err := r.expr(e, &scope{})
	if err != nil {
		return nil, "", err
	}
	x = unalias(x)
	to := deepRead(f.Type)
	if l, ok := x.(*plan.Literal); ok && l.Value == nil {
		return nullLit(to), nullPartition, nil
	}
	if !types.SameType(x.Type(), to) {
		mode := plan.ANSI
		if strings.EqualFold(r.Conf.text("spark.sql.storeAssignmentPolicy", "ANSI"), "LEGACY") {
			mode = plan.Legacy
		}
		if !castable(x.Type(), to, mode == plan.ANSI) {
			return nil, "", aerr("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", r.quoted(x), "srcType", errs.Quote(x.Type().SQL()), "targetType", errs.Quote(to.SQL()))
		}
		x = &plan.Cast{Child: x, To: to, Mode: mode, Implicit: true}
	}
	if x, err = r.charCall("char_write", x, f.Type); err != nil {
		return nil, "", err
	}
	v, err := r.constant(x)
	if err != nil {
		return nil, "", err
	}
	if v == nil || *v == "" {
		return x, nullPartition, nil
	}
	return x, *v, nil
}

// constant computes an expression without columns, as CAST to STRING shows it; nil is null.
func (r *run) constant(x plan.Expr) (*string, error) {
	if l, ok := x.(*plan.Literal); ok {
		switch v := l.Value.(type) {
		case string:
			return &v, nil
		case int8, int16, int32, int64:
			if l.T.IsIntegral() {
				s := fmt.Sprint(v)
				return &s, nil
			}
		}
		if l.Value == nil {
			return nil, nil
		}
	}
	if r.RunScalar == nil {
		return nil, errs.NotSupported("a value that must be computed beforehand")
	}
	if !x.Type().IsString() {
		x = &plan.Cast{Child: x, To: types.StringType, Mode: plan.ANSI}
	}
	p := &plan.Project{List: []plan.Expr{&plan.Alias{Child: x, Names: []string{"v"}, ID: plan.NewID()}}, Child: &plan.OneRow{}}
	rows, err := r.RunScalar(r.ctx, p)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return nil, errs.Internalf("a constant has %d rows", len(rows))
	}
	s, ok := rows[0][0].(string)
	if !ok {
		return nil, nil
	}
	return &s, nil
}
