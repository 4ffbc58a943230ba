package translate

import (
	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// Write translates df.write to plan.Write.
func (t *Translator) Write(w *pb.WriteOperation) (plan.Node, error) {
	child, err := t.input(w.GetInput(), w)
	if err != nil {
		return nil, err
	}
	out := &plan.Write{
		Child: child, Format: w.GetSource(), Sort: w.GetSortColumnNames(), PartitionBy: w.GetPartitioningColumns(),
		Options: w.GetOptions(), Buckets: int(w.GetBucketBy().GetNumBuckets()), BucketBy: w.GetBucketBy().GetBucketColumnNames(),
	}
	if len(w.GetClusteringColumns()) > 0 {
		return nil, errs.NotSupported("clustering columns of a write")
	}
	if w.GetWithSchemaEvolution() {
		return nil, errs.NotSupported("schema evolution of a write")
	}
	switch w.GetMode() {
	case pb.WriteOperation_SAVE_MODE_UNSPECIFIED, pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS:
		out.Mode = "errorifexists"
	case pb.WriteOperation_SAVE_MODE_APPEND:
		out.Mode = "append"
	case pb.WriteOperation_SAVE_MODE_OVERWRITE:
		out.Mode = "overwrite"
	case pb.WriteOperation_SAVE_MODE_IGNORE:
		out.Mode = "ignore"
	default:
		return nil, badEnum(w, w.GetMode())
	}
	switch k := w.GetSaveType().(type) {
	case *pb.WriteOperation_Path:
		out.Path = k.Path
	case *pb.WriteOperation_Table:
		if out.Table, err = splitTable(k.Table.GetTableName()); err != nil {
			return nil, err
		}
		switch k.Table.GetSaveMethod() {
		case pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_SAVE_AS_TABLE:
		case pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_INSERT_INTO:
			out.Insert = true
		default:
			return nil, badEnum(k.Table, k.Table.GetSaveMethod())
		}
	}
	return out, nil
}

var writeModes = map[pb.WriteOperationV2_Mode]string{
	pb.WriteOperationV2_MODE_CREATE: "create", pb.WriteOperationV2_MODE_OVERWRITE: "overwrite",
	pb.WriteOperationV2_MODE_OVERWRITE_PARTITIONS: "overwrite_partitions", pb.WriteOperationV2_MODE_APPEND: "append",
	pb.WriteOperationV2_MODE_REPLACE: "replace", pb.WriteOperationV2_MODE_CREATE_OR_REPLACE: "create_or_replace",
}

// WriteV2 translates df.writeTo to plan.Write. Table properties are options named "property."+key.
func (t *Translator) WriteV2(w *pb.WriteOperationV2) (plan.Node, error) {
	child, err := t.input(w.GetInput(), w)
	if err != nil {
		return nil, err
	}
	mode, ok := writeModes[w.GetMode()]
	if !ok {
		return nil, badEnum(w, w.GetMode())
	}
	if len(w.GetClusteringColumns()) > 0 {
		return nil, errs.NotSupported("clustering columns of a write")
	}
	if w.GetWithSchemaEvolution() {
		return nil, errs.NotSupported("schema evolution of a write")
	}
	out := &plan.Write{Child: child, Format: w.GetProvider(), V2: mode, Options: map[string]string{}}
	if out.Table, err = splitTable(w.GetTableName()); err != nil {
		return nil, err
	}
	for k, v := range w.GetOptions() {
		out.Options[k] = v
	}
	for k, v := range w.GetTableProperties() {
		out.Options["property."+k] = v
	}
	for _, e := range w.GetPartitioningColumns() {
		x, err := t.Expr(e)
		if err != nil {
			return nil, err
		}
		a, ok := x.(*plan.UnresolvedAttr)
		if !ok || len(a.Parts) != 1 {
			return nil, errs.NotSupported("partition transforms of writeTo")
		}
		out.PartitionBy = append(out.PartitionBy, a.Parts[0])
	}
	if w.GetOverwriteCondition() != nil {
		out.Condition, err = t.Expr(w.GetOverwriteCondition())
	}
	return out, err
}

// CreateView translates createTempView and its like: a Command "create_view" with
// the flags temporary, global, or_replace and dataframe.
func (t *Translator) CreateView(c *pb.CreateDataFrameViewCommand) (plan.Node, error) {
	child, err := t.input(c.GetInput(), c)
	if err != nil {
		return nil, err
	}
	parts, err := splitTable(c.GetName())
	if err != nil {
		return nil, err
	}
	if len(parts) != 1 {
		return nil, errs.New(errs.Analysis, "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", errs.ID(parts...))
	}
	return &plan.Command{
		Kind: "create_view", Name: parts, Query: child,
		Flags: map[string]bool{"temporary": true, "global": c.GetIsGlobal(), "or_replace": c.GetReplace(), "dataframe": true},
	}, nil
}

// SQLCommand returns the relation of a SqlCommand: the one that later clients send, or one made from what those of 3.5 send.
func SQLCommand(c *pb.SqlCommand) (*pb.Relation, error) {
	if r := c.GetInput(); r != nil {
		switch r.GetRelType().(type) {
		case *pb.Relation_Sql, *pb.Relation_WithRelations:
			return r, nil
		}
		rr := r.ProtoReflect()
		name := "nothing"
		if f := rr.WhichOneof(rr.Descriptor().Oneofs().ByName("rel_type")); f != nil {
			name = string(f.Name())
		}
		return nil, invalid("SQL_COMMAND_EXPECTS_SQL_OR_WITH_RELATIONS", "other", name)
	}
	//nolint:staticcheck // clients of 3.5
	s := &pb.SQL{Query: c.GetSql(), Args: c.GetArgs(), PosArgs: c.GetPosArgs(), NamedArguments: c.GetNamedArguments(), PosArguments: c.GetPosArguments()}
	return &pb.Relation{RelType: &pb.Relation_Sql{Sql: s}}, nil
}

// Function translates spark.udf.register to the function.
func (t *Translator) Function(f *pb.CommonInlineUserDefinedFunction) (*plan.UDF, error) {
	return t.udf(f, plan.At{})
}

// StartStream translates writeStream...start() to the query and what it is to do.
func (t *Translator) StartStream(w *pb.WriteStreamOperationStart) (plan.Node, *StreamSpec, error) {
	child, err := t.input(w.GetInput(), w)
	if err != nil {
		return nil, nil, err
	}
	s := &StreamSpec{
		Format: w.GetFormat(), Options: w.GetOptions(), Partition: w.GetPartitioningColumnNames(), Cluster: w.GetClusteringColumnNames(),
		OutputMode: w.GetOutputMode(), Name: w.GetQueryName(), Path: w.GetPath(), Table: w.GetTableName(),
	}
	switch k := w.GetTrigger().(type) {
	case *pb.WriteStreamOperationStart_ProcessingTimeInterval:
		s.Trigger = Trigger{ProcessingTime, k.ProcessingTimeInterval}
	case *pb.WriteStreamOperationStart_AvailableNow:
		s.Trigger = Trigger{Kind: AvailableNow}
	case *pb.WriteStreamOperationStart_Once:
		s.Trigger = Trigger{Kind: Once}
	case *pb.WriteStreamOperationStart_ContinuousCheckpointInterval:
		s.Trigger = Trigger{Continuous, k.ContinuousCheckpointInterval}
	case *pb.WriteStreamOperationStart_RealTimeBatchDuration:
		s.Trigger = Trigger{RealTime, k.RealTimeBatchDuration}
	}
	s.Foreach = foreach("foreach", w.GetForeachWriter())
	s.ForeachBatch = foreach("foreachBatch", w.GetForeachBatch())
	return child, s, nil
}

func foreach(name string, f *pb.StreamingForeachFunction) *plan.UDF {
	if f == nil {
		return nil
	}
	return &plan.UDF{Name: name, Payload: f}
}
