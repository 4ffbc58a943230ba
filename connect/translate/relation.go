package translate

import (
	"fmt"

	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Relation translates a relation.
func (t *Translator) Relation(r *pb.Relation) (plan.Node, error) {
	leave, err := t.down()
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := t.relation(r)
	at := origin(r.GetCommon().GetOrigin())
	if err != nil {
		if ee, ok := errs.As(err); ok && at != nil {
			ee.At(at)
		}
		return nil, err
	}
	if id := planID(r); id != nil || at != nil {
		info := n.Info()
		if info.PlanID != nil && id != nil && *info.PlanID != *id {
			// Two messages made one node, and columns may refer to either's id.
			n = &plan.WithRelations{Root: n}
			info = n.Info()
		}
		if id != nil {
			info.PlanID = id
		}
		if info.Origin == nil {
			info.Origin = at
		}
	}
	return n, nil
}

func planID(r *pb.Relation) *int64 {
	if r.GetCommon() == nil {
		return nil
	}
	return r.GetCommon().PlanId
}

func (t *Translator) input(r *pb.Relation, in protoMessage) (plan.Node, error) {
	if r == nil {
		return nil, missing(in, "input")
	}
	return t.Relation(r)
}

func (t *Translator) relation(r *pb.Relation) (plan.Node, error) {
	switch k := r.GetRelType().(type) {
	case *pb.Relation_Read:
		return t.read(k.Read)
	case *pb.Relation_Project:
		return t.project(k.Project)
	case *pb.Relation_Filter:
		child, err := t.input(k.Filter.GetInput(), k.Filter)
		if err != nil {
			return nil, err
		}
		cond, err := t.need(k.Filter.GetCondition(), k.Filter, "condition")
		if err != nil {
			return nil, err
		}
		return &plan.Filter{Cond: cond, Child: child}, nil
	case *pb.Relation_Join:
		return t.join(k.Join)
	case *pb.Relation_LateralJoin:
		return t.lateralJoin(k.LateralJoin)
	case *pb.Relation_AsOfJoin:
		return t.asOfJoin(k.AsOfJoin)
	case *pb.Relation_SetOp:
		return t.setOp(k.SetOp)
	case *pb.Relation_Sort:
		child, err := t.input(k.Sort.GetInput(), k.Sort)
		if err != nil {
			return nil, err
		}
		order, err := t.sortOrders(k.Sort.GetOrder())
		if err != nil {
			return nil, err
		}
		return &plan.Sort{Order: order, Global: k.Sort.GetIsGlobal(), Child: child}, nil
	case *pb.Relation_Limit:
		child, err := t.input(k.Limit.GetInput(), k.Limit)
		return &plan.Limit{N: intLiteral(k.Limit.GetLimit()), Child: child}, err
	case *pb.Relation_Offset:
		child, err := t.input(k.Offset.GetInput(), k.Offset)
		return &plan.Limit{Offset: intLiteral(k.Offset.GetOffset()), Child: child}, err
	case *pb.Relation_Tail:
		child, err := t.input(k.Tail.GetInput(), k.Tail)
		return &plan.Limit{N: intLiteral(k.Tail.GetLimit()), Tail: true, Child: child}, err
	case *pb.Relation_Aggregate:
		return t.aggregate(k.Aggregate)
	case *pb.Relation_Sql:
		return t.sql(k.Sql)
	case *pb.Relation_WithRelations:
		return t.withRelations(k.WithRelations)
	case *pb.Relation_LocalRelation:
		return t.localRelation(k.LocalRelation)
	case *pb.Relation_CachedLocalRelation:
		return t.cachedLocalRelation(k.CachedLocalRelation)
	case *pb.Relation_ChunkedCachedLocalRelation:
		return t.chunkedLocalRelation(k.ChunkedCachedLocalRelation)
	case *pb.Relation_CachedRemoteRelation:
		return &plan.CachedRef{Key: k.CachedRemoteRelation.GetRelationId()}, nil
	case *pb.Relation_Sample:
		s := k.Sample
		child, err := t.input(s.GetInput(), s)
		return &plan.Sample{
			Lower: s.GetLowerBound(), Upper: s.GetUpperBound(), WithReplacement: s.GetWithReplacement(),
			Seed: s.Seed, Deterministic: s.GetDeterministicOrder(), Child: child,
		}, err
	case *pb.Relation_Deduplicate:
		return t.deduplicate(k.Deduplicate)
	case *pb.Relation_Range:
		g := k.Range
		if g.GetStep() == 0 {
			return nil, errs.New(errs.IllegalArgument, "CONNECT_INVALID_PLAN.ASSERTION_FAILURE", "message", "the step of a range can't be 0.")
		}
		return &plan.Range{
			Start: g.GetStart(), End: g.GetEnd(), Step: g.GetStep(), Partitions: int(g.GetNumPartitions()),
			Out: []*plan.Attr{{ID: plan.NewID(), Name: "id", T: types.Int64Type}},
		}, nil
	case *pb.Relation_SubqueryAlias:
		child, err := t.input(k.SubqueryAlias.GetInput(), k.SubqueryAlias)
		return &plan.SubqueryAlias{Name: k.SubqueryAlias.GetAlias(), Path: k.SubqueryAlias.GetQualifier(), Child: child}, err
	case *pb.Relation_Repartition:
		child, err := t.input(k.Repartition.GetInput(), k.Repartition)
		if err == nil && k.Repartition.GetNumPartitions() <= 0 {
			err = errs.New(errs.IllegalArgument, "CONNECT_INVALID_PLAN.ASSERTION_FAILURE", "message",
				fmt.Sprintf("the number of partitions has to be positive, and is %d.", k.Repartition.GetNumPartitions()))
		}
		return &plan.Repartition{N: int(k.Repartition.GetNumPartitions()), Shuffle: k.Repartition.GetShuffle(), Child: child}, err
	case *pb.Relation_RepartitionByExpression:
		return t.repartitionBy(k.RepartitionByExpression)
	case *pb.Relation_ToDf:
		child, err := t.input(k.ToDf.GetInput(), k.ToDf)
		return &plan.ToDF{Names: k.ToDf.GetColumnNames(), Child: child}, err
	case *pb.Relation_WithColumnsRenamed:
		return t.renamed(k.WithColumnsRenamed)
	case *pb.Relation_WithColumns:
		return t.withColumns(k.WithColumns)
	case *pb.Relation_Drop:
		child, err := t.input(k.Drop.GetInput(), k.Drop)
		if err != nil {
			return nil, err
		}
		cols, err := t.exprs(k.Drop.GetColumns())
		return &plan.Drop{Cols: cols, Names: k.Drop.GetColumnNames(), Child: child}, err
	case *pb.Relation_Hint:
		child, err := t.input(k.Hint.GetInput(), k.Hint)
		if err != nil {
			return nil, err
		}
		args, err := t.exprs(k.Hint.GetParameters())
		return &plan.Hint{Name: k.Hint.GetName(), Args: args, Child: child}, err
	case *pb.Relation_ToSchema:
		child, err := t.input(k.ToSchema.GetInput(), k.ToSchema)
		if err != nil {
			return nil, err
		}
		s, err := t.Type(k.ToSchema.GetSchema())
		if err == nil && s.Kind != types.Struct {
			err = invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", errs.Quote(s.String()), "dataType", errs.Quote(s.SQL()))
		}
		return &plan.ToSchema{Schema: s, Child: child}, err
	case *pb.Relation_Unpivot:
		return t.unpivot(k.Unpivot)
	case *pb.Relation_WithWatermark:
		child, err := t.input(k.WithWatermark.GetInput(), k.WithWatermark)
		return &plan.WithWatermark{Column: k.WithWatermark.GetEventTime(), Delay: k.WithWatermark.GetDelayThreshold(), Child: child}, err
	case *pb.Relation_CollectMetrics:
		child, err := t.input(k.CollectMetrics.GetInput(), k.CollectMetrics)
		if err != nil {
			return nil, err
		}
		m, err := t.exprs(k.CollectMetrics.GetMetrics())
		return &plan.Observe{Name: k.CollectMetrics.GetName(), Metrics: m, Child: child}, err
	case *pb.Relation_Parse:
		return t.parse(k.Parse)
	case *pb.Relation_UnresolvedTableValuedFunction:
		c := &plan.Call{Name: k.UnresolvedTableValuedFunction.GetFunctionName()}
		if err := t.args(c, k.UnresolvedTableValuedFunction.GetArguments()); err != nil {
			return nil, err
		}
		return &plan.UnresolvedTVF{Call: c}, nil
	case *pb.Relation_MapPartitions, *pb.Relation_GroupMap, *pb.Relation_CoGroupMap,
		*pb.Relation_ApplyInPandasWithState, *pb.Relation_CommonInlineUserDefinedTableFunction:
		return t.userRelation(r)
	case *pb.Relation_FillNa, *pb.Relation_DropNa, *pb.Relation_Replace, *pb.Relation_Summary, *pb.Relation_Crosstab,
		*pb.Relation_Describe, *pb.Relation_Cov, *pb.Relation_Corr, *pb.Relation_ApproxQuantile, *pb.Relation_FreqItems,
		*pb.Relation_SampleBy, *pb.Relation_ShowString, *pb.Relation_HtmlString, *pb.Relation_Transpose:
		return t.statistics(r)
	case *pb.Relation_Catalog:
		return t.catalog(k.Catalog)
	case *pb.Relation_CommonInlineUserDefinedDataSource:
		return nil, refused("relation", k.CommonInlineUserDefinedDataSource)
	case *pb.Relation_RelationChanges:
		return nil, refused("relation", k.RelationChanges)
	case *pb.Relation_NearestByJoin:
		return nil, refused("relation", k.NearestByJoin)
	case *pb.Relation_Zip:
		return nil, refused("relation", k.Zip)
	case *pb.Relation_MlRelation:
		return nil, refused("relation", k.MlRelation)
	case *pb.Relation_Extension:
		return nil, invalid("NO_HANDLER_FOR_EXTENSION", "extensionTypeUrl", k.Extension.GetTypeUrl())
	case *pb.Relation_Unknown:
		return nil, refused("relation", k.Unknown)
	}
	if r == nil {
		r = &pb.Relation{}
	}
	return nil, noOneof(r, "rel_type")
}

func boolLiteral(b bool) plan.Expr { return &plan.Literal{T: types.BoolType, Value: b} }

func intLiteral(n int32) plan.Expr { return &plan.Literal{T: types.Int32Type, Value: n} }

func (t *Translator) read(r *pb.Read) (plan.Node, error) {
	switch k := r.GetReadType().(type) {
	case *pb.Read_NamedTable_:
		parts, err := splitTable(k.NamedTable.GetUnparsedIdentifier())
		if err != nil {
			return nil, err
		}
		return &plan.UnresolvedTable{Parts: parts, Options: k.NamedTable.GetOptions(), Streaming: r.GetIsStreaming()}, nil
	case *pb.Read_DataSource_:
		d := k.DataSource
		out := &plan.DataSource{
			Format: d.GetFormat(), Options: d.GetOptions(), Paths: d.GetPaths(), SchemaDDL: d.GetSchema(),
			Streaming: r.GetIsStreaming(), Predicates: d.GetPredicates(),
		}
		if out.SchemaDDL != "" {
			s, err := t.Schema(out.SchemaDDL)
			if err != nil {
				return nil, err
			}
			out.Schema = s
		}
		if len(out.Predicates) > 0 && out.Format != "jdbc" {
			return nil, invalid("PREDICATES_NOT_SUPPORTED_FOR_DATA_SOURCE", "format", out.Format)
		}
		if out.Streaming && len(out.Paths) > 1 {
			return nil, invalid("MULTIPLE_PATHS_NOT_SUPPORTED_FOR_STREAMING_SOURCE")
		}
		return out, nil
	}
	return nil, noOneof(r, "read_type")
}

func (t *Translator) project(p *pb.Project) (plan.Node, error) {
	var child plan.Node = &plan.OneRow{}
	var err error
	if p.GetInput() != nil {
		if child, err = t.Relation(p.GetInput()); err != nil {
			return nil, err
		}
	}
	list, err := t.exprs(p.GetExpressions())
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []plan.Expr{}
	}
	return &plan.Project{List: list, Child: child}, nil
}

var joinKinds = map[pb.Join_JoinType]plan.JoinType{
	pb.Join_JOIN_TYPE_INNER: plan.Inner, pb.Join_JOIN_TYPE_FULL_OUTER: plan.FullOuter, pb.Join_JOIN_TYPE_LEFT_OUTER: plan.LeftOuter,
	pb.Join_JOIN_TYPE_RIGHT_OUTER: plan.RightOuter, pb.Join_JOIN_TYPE_LEFT_ANTI: plan.LeftAnti,
	pb.Join_JOIN_TYPE_LEFT_SEMI: plan.LeftSemi, pb.Join_JOIN_TYPE_CROSS: plan.Cross,
}

func (t *Translator) sides(l, r *pb.Relation, in protoMessage) (left, right plan.Node, err error) {
	if l == nil {
		return nil, nil, missing(in, "left")
	}
	if r == nil {
		return nil, nil, missing(in, "right")
	}
	if left, err = t.Relation(l); err != nil {
		return nil, nil, err
	}
	right, err = t.Relation(r)
	return left, right, err
}

func (t *Translator) join(j *pb.Join) (plan.Node, error) {
	if j.GetJoinCondition() != nil && len(j.GetUsingColumns()) > 0 {
		return nil, invalid("USING_COLUMNS_OR_JOIN_CONDITION_SET_IN_JOIN")
	}
	if d := j.GetJoinDataType(); d != nil {
		return nil, errs.NotSupported("relation Join of typed datasets (joinWith)")
	}
	kind, ok := joinKinds[j.GetJoinType()]
	if !ok {
		return nil, badEnum(j, j.GetJoinType())
	}
	l, r, err := t.sides(j.GetLeft(), j.GetRight(), j)
	if err != nil {
		return nil, err
	}
	out := &plan.Join{Kind: kind, Using: j.GetUsingColumns(), Left: l, Right: r}
	if j.GetJoinCondition() != nil {
		out.Cond, err = t.Expr(j.GetJoinCondition())
	}
	return out, err
}

func (t *Translator) lateralJoin(j *pb.LateralJoin) (plan.Node, error) {
	kind, ok := joinKinds[j.GetJoinType()]
	if !ok || kind != plan.Inner && kind != plan.LeftOuter && kind != plan.Cross {
		return nil, badEnum(j, j.GetJoinType())
	}
	l, r, err := t.sides(j.GetLeft(), j.GetRight(), j)
	if err != nil {
		return nil, err
	}
	out := &plan.Join{Kind: kind, Lateral: true, Left: l, Right: r}
	if j.GetJoinCondition() != nil {
		out.Cond, err = t.Expr(j.GetJoinCondition())
	}
	return out, err
}

// joinNames are the spellings of join types that clients send as text.
var joinNames = map[string]plan.JoinType{
	"": plan.Inner, "inner": plan.Inner, "left": plan.LeftOuter, "leftouter": plan.LeftOuter, "left_outer": plan.LeftOuter,
}

func (t *Translator) asOfJoin(j *pb.AsOfJoin) (plan.Node, error) {
	kind, ok := joinNames[j.GetJoinType()]
	if !ok {
		return nil, errs.NotSupported("join type " + j.GetJoinType() + " of an as-of join")
	}
	l, r, err := t.sides(j.GetLeft(), j.GetRight(), j)
	if err != nil {
		return nil, err
	}
	out := &plan.AsOfJoin{Left: l, Right: r, Using: j.GetUsingColumns(), Kind: kind, AllowExact: j.GetAllowExactMatches(), Direction: j.GetDirection()}
	for _, p := range []struct {
		e  *pb.Expression
		to *plan.Expr
	}{{j.GetLeftAsOf(), &out.LeftAsOf}, {j.GetRightAsOf(), &out.RightAsOf}, {j.GetJoinExpr(), &out.Cond}, {j.GetTolerance(), &out.Tolerance}} {
		if p.e == nil {
			continue
		}
		if *p.to, err = t.Expr(p.e); err != nil {
			return nil, err
		}
	}
	if out.LeftAsOf == nil || out.RightAsOf == nil {
		return nil, missing(j, "left_as_of or right_as_of")
	}
	return out, nil
}

func (t *Translator) setOp(s *pb.SetOperation) (plan.Node, error) {
	if s.GetLeftInput() == nil || s.GetRightInput() == nil {
		return nil, invalid("SET_OPERATION_MUST_HAVE_TWO_INPUTS")
	}
	out := &plan.SetOperation{All: s.GetIsAll(), ByName: s.GetByName(), AllowMissing: s.GetAllowMissingColumns()}
	switch s.GetSetOpType() {
	case pb.SetOperation_SET_OP_TYPE_UNION:
		out.Op = plan.UnionOp
		if out.AllowMissing && !out.ByName {
			return nil, invalid("UNION_BY_NAME_ALLOW_MISSING_COL_REQUIRES_BY_NAME")
		}
	case pb.SetOperation_SET_OP_TYPE_INTERSECT:
		out.Op = plan.IntersectOp
		if out.ByName {
			return nil, invalid("INTERSECT_DOES_NOT_SUPPORT_UNION_BY_NAME")
		}
	case pb.SetOperation_SET_OP_TYPE_EXCEPT:
		out.Op = plan.ExceptOp
		if out.ByName {
			return nil, invalid("EXCEPT_DOES_NOT_SUPPORT_UNION_BY_NAME")
		}
	default:
		return nil, badEnum(s, s.GetSetOpType())
	}
	l, r, err := t.sides(s.GetLeftInput(), s.GetRightInput(), s)
	out.Inputs = []plan.Node{l, r}
	return out, err
}

func (t *Translator) aggregate(a *pb.Aggregate) (plan.Node, error) {
	if a.GetInput() == nil {
		return nil, invalid("AGGREGATE_NEEDS_PLAN_INPUT")
	}
	child, err := t.Relation(a.GetInput())
	if err != nil {
		return nil, err
	}
	group, err := t.exprs(a.GetGroupingExpressions())
	if err != nil {
		return nil, err
	}
	list, err := t.exprs(a.GetAggregateExpressions())
	if err != nil {
		return nil, err
	}
	out := &plan.Aggregate{Group: group, List: list, Child: child, KeysFirst: true}
	each := func(kind string) []plan.GroupPart {
		p := plan.GroupPart{Kind: kind}
		for _, g := range group {
			p.Sets = append(p.Sets, []plan.Expr{g})
		}
		return []plan.GroupPart{p}
	}
	switch a.GetGroupType() {
	case pb.Aggregate_GROUP_TYPE_GROUPBY:
	case pb.Aggregate_GROUP_TYPE_ROLLUP:
		out.GroupKind, out.GroupParts = plan.GroupAnalytic, each("rollup")
	case pb.Aggregate_GROUP_TYPE_CUBE:
		out.GroupKind, out.GroupParts = plan.GroupAnalytic, each("cube")
	case pb.Aggregate_GROUP_TYPE_GROUPING_SETS:
		p := plan.GroupPart{Kind: "sets"}
		for _, s := range a.GetGroupingSets() {
			set, err := t.exprs(s.GetGroupingSet())
			if err != nil {
				return nil, err
			}
			p.Sets = append(p.Sets, set)
		}
		out.GroupKind, out.GroupParts = plan.GroupAnalytic, []plan.GroupPart{p}
	case pb.Aggregate_GROUP_TYPE_PIVOT:
		if a.GetPivot().GetCol() == nil {
			return nil, invalid("AGGREGATE_WITH_PIVOT_REQUIRES_PIVOT")
		}
		col, err := t.Expr(a.GetPivot().GetCol())
		if err != nil {
			return nil, err
		}
		p := &plan.Pivot{Group: group, Column: col, Aggs: list, Child: child}
		for _, v := range a.GetPivot().GetValues() {
			l, err := t.Literal(v)
			if err != nil {
				return nil, err
			}
			p.Values = append(p.Values, l)
		}
		return p, nil
	default:
		return nil, badEnum(a, a.GetGroupType())
	}
	return out, nil
}

func (t *Translator) deduplicate(d *pb.Deduplicate) (plan.Node, error) {
	if d.GetInput() == nil {
		return nil, invalid("DEDUPLICATE_NEEDS_INPUT")
	}
	if d.GetAllColumnsAsKeys() && len(d.GetColumnNames()) > 0 {
		return nil, invalid("DEDUPLICATE_ALL_COLUMNS_AND_SUBSET")
	}
	if !d.GetAllColumnsAsKeys() && len(d.GetColumnNames()) == 0 {
		return nil, invalid("DEDUPLICATE_REQUIRES_COLUMNS_OR_ALL")
	}
	child, err := t.Relation(d.GetInput())
	return &plan.Distinct{Columns: d.GetColumnNames(), AllCols: d.GetAllColumnsAsKeys(), Within: d.GetWithinWatermark(), Child: child}, err
}

func (t *Translator) repartitionBy(r *pb.RepartitionByExpression) (plan.Node, error) {
	child, err := t.input(r.GetInput(), r)
	if err != nil {
		return nil, err
	}
	out := &plan.Repartition{N: int(r.GetNumPartitions()), Shuffle: true, Child: child}
	for _, e := range r.GetPartitionExprs() {
		if s := e.GetSortOrder(); s != nil {
			o, err := t.sortOrder(s)
			if err != nil {
				return nil, err
			}
			out.Range = true
			out.By = append(out.By, o)
			continue
		}
		if d := e.GetDirectShufflePartitionId(); d != nil {
			id, err := t.need(d.GetChild(), d, "child")
			if err != nil {
				return nil, err
			}
			if out.N <= 0 || len(r.GetPartitionExprs()) != 1 {
				return nil, invalid("ASSERTION_FAILURE", "message", "a repartition by number needs one expression and the number of partitions.")
			}
			out.By = append(out.By, plan.SortOrder{Child: &plan.Call{Name: "shuffle_partition_key", Args: []plan.Expr{id, intLiteral(r.GetNumPartitions())}, Internal: true}})
			continue
		}
		x, err := t.Expr(e)
		if err != nil {
			return nil, err
		}
		out.By = append(out.By, plan.SortOrder{Child: x})
	}
	return out, nil
}

func (t *Translator) renamed(w *pb.WithColumnsRenamed) (plan.Node, error) {
	child, err := t.input(w.GetInput(), w)
	if err != nil {
		return nil, err
	}
	out := &plan.WithColumnsRenamed{Child: child}
	for _, r := range w.GetRenames() {
		out.From, out.To = append(out.From, r.GetColName()), append(out.To, r.GetNewColName())
	}
	if len(out.From) == 0 {
		m := w.GetRenameColumnsMap() //nolint:staticcheck // clients of 3.5 and before
		for _, from := range sortedKeys(m) {
			out.From, out.To = append(out.From, from), append(out.To, m[from])
		}
	}
	return out, nil
}

func (t *Translator) withColumns(w *pb.WithColumns) (plan.Node, error) {
	child, err := t.input(w.GetInput(), w)
	if err != nil {
		return nil, err
	}
	out := &plan.WithColumns{Child: child}
	for _, a := range w.GetAliases() {
		if len(a.GetName()) != 1 {
			return nil, invalid("WITH_COLUMNS_REQUIRE_SINGLE_NAME_PART", "got", fmt.Sprint(a.GetName()))
		}
		x, err := t.alias(a, plan.At{})
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, x)
	}
	return out, nil
}

func (t *Translator) unpivot(u *pb.Unpivot) (plan.Node, error) {
	child, err := t.input(u.GetInput(), u)
	if err != nil {
		return nil, err
	}
	out := &plan.Unpivot{HasIDs: true, VarName: u.GetVariableColumnName(), ValueNames: []string{u.GetValueColumnName()}, IncludeNulls: true, Child: child}
	if out.IDs, err = t.exprs(u.GetIds()); err != nil {
		return nil, err
	}
	if u.GetValues() == nil {
		return out, nil // all columns that are no ids
	}
	out.Values = [][]plan.Expr{}
	for _, v := range u.GetValues().GetValues() {
		x, err := t.Expr(v)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, []plan.Expr{x})
	}
	return out, nil
}

func (t *Translator) parse(p *pb.Parse) (plan.Node, error) {
	child, err := t.input(p.GetInput(), p)
	if err != nil {
		return nil, err
	}
	out := &plan.Parsed{Options: p.GetOptions(), Child: child}
	switch p.GetFormat() {
	case pb.Parse_PARSE_FORMAT_CSV:
		out.Format = "csv"
	case pb.Parse_PARSE_FORMAT_JSON:
		out.Format = "json"
	case pb.Parse_PARSE_FORMAT_XML:
		out.Format = "xml"
	default:
		return nil, badEnum(p, p.GetFormat())
	}
	if p.GetSchema() != nil {
		if out.Schema, err = t.Type(p.GetSchema()); err != nil {
			return nil, err
		}
		if out.Schema.Kind != types.Struct {
			return nil, invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", errs.Quote(out.Schema.String()), "dataType", errs.Quote(out.Schema.SQL()))
		}
	}
	return out, nil
}
