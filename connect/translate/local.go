package translate

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func (t *Translator) localRelation(l *pb.LocalRelation) (plan.Node, error) {
	out := &plan.LocalRelation{Data: l.GetData()}
	if l.GetSchema() != "" {
		s, err := t.Schema(l.GetSchema())
		if err != nil {
			return nil, err
		}
		out.Schema = s
	}
	if len(out.Data) == 0 && out.Schema == nil {
		return nil, invalid("SCHEMA_REQUIRED_FOR_LOCAL_RELATION")
	}
	return out, nil
}

func (t *Translator) cachedLocalRelation(c *pb.CachedLocalRelation) (plan.Node, error) {
	data, ok, err := t.cached(c.GetHash())
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, invalid("NOT_FOUND_CACHED_LOCAL_RELATION", "hash", c.GetHash(), "sessionUUID", t.env.SessionID)
	}
	var l pb.LocalRelation
	if err := proto.Unmarshal(data, &l); err != nil {
		return nil, invalid("ASSERTION_FAILURE", "message", "a cached local relation can't be read.").Because(err)
	}
	return t.localRelation(&l)
}

func (t *Translator) cached(hash string) ([]byte, bool, error) {
	if t.env.Cached == nil {
		return nil, false, nil
	}
	return t.env.Cached(hash)
}

// chunkedLocalRelation puts the uploaded Arrow streams together to one.
func (t *Translator) chunkedLocalRelation(c *pb.ChunkedCachedLocalRelation) (plan.Node, error) {
	if len(c.GetDataHashes()) == 0 {
		return nil, invalid("CHUNKED_CACHED_LOCAL_RELATION_WITHOUT_DATA")
	}
	get := func(hash string) ([]byte, error) {
		data, ok, err := t.cached(hash)
		if err == nil && !ok {
			err = invalid("NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION", "hash", hash, "sessionUUID", t.env.SessionID)
		}
		return data, err
	}
	var schema *types.Type
	if c.SchemaHash != nil {
		text, err := get(c.GetSchemaHash())
		if err != nil {
			return nil, err
		}
		if schema, err = t.Schema(string(text)); err != nil {
			return nil, err
		}
	}
	var chunks [][]byte
	var size int64
	for _, h := range c.GetDataHashes() {
		data, err := get(h)
		if err != nil {
			return nil, err
		}
		size += int64(len(data))
		if t.env.MaxLocalRelation > 0 && size > t.env.MaxLocalRelation {
			return nil, invalid("LOCAL_RELATION_SIZE_LIMIT_EXCEEDED", "actualSize", fmt.Sprint(size), "limit", fmt.Sprint(t.env.MaxLocalRelation))
		}
		chunks = append(chunks, data)
	}
	if all, ok := JoinStreams(chunks); ok {
		return &plan.LocalRelation{Schema: schema, Data: all}, nil
	}
	// The streams' schemas differ in their bytes: leave them apart.
	u := &plan.SetOperation{Op: plan.UnionOp, All: true}
	for _, data := range chunks {
		u.Inputs = append(u.Inputs, &plan.LocalRelation{Schema: schema, Data: data})
	}
	return u, nil
}

var endOfStream = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// JoinStreams makes one Arrow IPC stream of several with the same schema message; false when they can't be joined.
func JoinStreams(chunks [][]byte) ([]byte, bool) {
	if len(chunks) == 1 {
		return chunks[0], true
	}
	n := len(endOfStream)
	var schema []byte
	for _, c := range chunks {
		// A message is a mark, its metadata's length, and the metadata; a schema has no body.
		if len(c) < 8 || !bytes.Equal(c[:4], endOfStream[:4]) {
			return nil, false
		}
		end := 8 + int64(binary.LittleEndian.Uint32(c[4:8]))
		if end > int64(len(c)) {
			return nil, false
		}
		if schema == nil {
			schema = c[:end]
		} else if !bytes.Equal(schema, c[:end]) {
			return nil, false
		}
		n += len(c)
	}
	out := append(make([]byte, 0, n), schema...)
	for _, c := range chunks {
		out = append(out, bytes.TrimSuffix(c[len(schema):], endOfStream)...)
	}
	return append(out, endOfStream...), true
}

// sql translates a SQL relation: its text is parsed, and its arguments are put in the places of the parameters.
func (t *Translator) sql(s *pb.SQL) (plan.Node, error) {
	if t.env.Parser.Statement == nil {
		return nil, errs.Internalf("there is no SQL parser")
	}
	named := map[string]plan.Expr{}
	var pos []plan.Expr
	var err error
	for k, e := range s.GetNamedArguments() {
		if named[k], err = t.Expr(e); err != nil {
			return nil, err
		}
	}
	for k, l := range s.GetArgs() { //nolint:staticcheck // clients of 3.4 and 3.5
		if named[k], err = t.Literal(l); err != nil {
			return nil, err
		}
	}
	if pos, err = t.exprs(s.GetPosArguments()); err != nil {
		return nil, err
	}
	if l := s.GetPosArgs(); len(l) > 0 { //nolint:staticcheck // clients of 3.4 and 3.5
		if pos, err = t.literals(l); err != nil {
			return nil, err
		}
	}
	if len(named) == 0 && len(pos) == 0 {
		return t.env.Parser.Statement(s.GetQuery())
	}
	for k, e := range named {
		if err := checkArgument(k, e); err != nil {
			return nil, err
		}
	}
	for i, e := range pos {
		if err := checkArgument(fmt.Sprintf("_%d", i), e); err != nil {
			return nil, err
		}
	}
	parse := t.env.Parser.Bound
	if parse == nil || len(named) > 0 && len(pos) > 0 {
		parse = func(sql string, _ []plan.Expr, _ map[string]plan.Expr) (plan.Node, error) {
			return t.env.Parser.Statement(sql)
		}
	}
	n, err := parse(s.GetQuery(), pos, named)
	if err != nil {
		return nil, err
	}
	return bindParameters(n, named, pos)
}

// constructors are the calls that arguments of sql() may be besides literals.
var constructors = map[string]bool{
	"array": true, "map": true, "struct": true, "named_struct": true, "map_from_arrays": true, "map_from_entries": true,
	"negative": true, "positive": true, "cast": true, "make_date": true, "parse_json": true,
	"make_interval": true, "make_dt_interval": true, "make_ym_interval": true, "make_timestamp": true, "make_time": true,
}

func checkArgument(name string, e plan.Expr) error {
	ok := false
	switch x := e.(type) {
	case *plan.Literal:
		ok = true
	case *plan.Alias:
		return checkArgument(name, x.Child)
	case *plan.Cast:
		return checkArgument(name, x.Child)
	case *plan.Call:
		ok = constructors[x.Name] && len(x.Path) == 0
		for _, a := range x.Args {
			if err := checkArgument(name, a); err != nil {
				return err
			}
		}
	}
	if !ok {
		return errs.New(errs.Analysis, "INVALID_SQL_ARG", "name", name)
	}
	return nil
}

// withRelations translates a root whose subqueries refer to other relations by
// plan id, or whose SQL text refers to them by name (SubqueryAlias).
func (t *Translator) withRelations(w *pb.WithRelations) (plan.Node, error) {
	if w.GetRoot() == nil {
		return nil, missing(w, "root")
	}
	s := &scope{up: t.refs, rels: map[int64]*ref{}}
	var ctes []plan.CTE
	for _, r := range w.GetReferences() {
		if a := r.GetSubqueryAlias(); a != nil && w.GetRoot().GetSql() != nil {
			n, err := t.input(a.GetInput(), a)
			if err != nil {
				return nil, err
			}
			ctes = append(ctes, plan.CTE{Name: a.GetAlias(), Plan: n})
			continue
		}
		if planID(r) == nil {
			return nil, invalid("INVALID_WITH_RELATION_REFERENCE")
		}
		s.rels[r.GetCommon().GetPlanId()] = &ref{rel: r}
	}
	t.refs = s
	defer func() { t.refs = s.up }()
	root, err := t.Relation(w.GetRoot())
	if err != nil || len(ctes) == 0 {
		return root, err
	}
	if c, ok := root.(*plan.Command); ok {
		if c.Query == nil {
			return nil, errs.NotSupported("references to DataFrames in a " + c.Kind + " statement")
		}
		k := *c
		k.Query = &plan.With{CTEs: ctes, Child: c.Query}
		return &k, nil
	}
	return &plan.With{CTEs: ctes, Child: root}, nil
}
