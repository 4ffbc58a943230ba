package server

import (
	"context"
	"hash/fnv"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// AnalyzePlan answers what clients ask about plans without running them.
func (s *Server) AnalyzePlan(ctx context.Context, req *pb.AnalyzePlanRequest) (res *pb.AnalyzePlanResponse, err error) {
	x, done, err := s.open(req.GetUserContext(), req.GetSessionId(), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, err
	}
	defer done()
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, s.fault("AnalyzePlan", errs.Panic(p))
		}
	}()
	res = &pb.AnalyzePlanResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID}
	if err := s.analyze(ctx, x, req, res); err != nil {
		return nil, statusOf(x, err)
	}
	return res, nil
}

// node translates a plan of a request.
func (s *Server) node(x *session.Session, p *pb.Plan) (plan.Node, *pb.Relation, error) {
	r, err := relationOf(p)
	if err != nil {
		return nil, nil, err
	}
	n, err := s.rel(x, r)
	return n, r, err
}

func (s *Server) rel(x *session.Session, r *pb.Relation) (plan.Node, error) {
	n, err := s.translator(x).Relation(r)
	if err != nil {
		return nil, err
	}
	n, _, _, err = translate.TakeHint(n, markHints())
	return n, err
}

var explainModes = map[pb.AnalyzePlanRequest_Explain_ExplainMode]string{
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_SIMPLE: "simple", pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED: "extended",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_CODEGEN: "codegen", pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_COST: "cost",
	pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_FORMATTED: "formatted",
}

func (s *Server) analyze(ctx context.Context, x *session.Session, req *pb.AnalyzePlanRequest, res *pb.AnalyzePlanResponse) error {
	e := s.opt.Engine
	switch k := req.GetAnalyze().(type) {
	case *pb.AnalyzePlanRequest_SparkVersion_:
		res.Result = &pb.AnalyzePlanResponse_SparkVersion_{SparkVersion: &pb.AnalyzePlanResponse_SparkVersion{Version: Version}}
	case *pb.AnalyzePlanRequest_Schema_:
		t, err := s.schema(ctx, x, k.Schema.GetPlan())
		if err != nil {
			return err
		}
		d, err := translate.TypeProto(t)
		if err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_Schema_{Schema: &pb.AnalyzePlanResponse_Schema{Schema: d}}
	case *pb.AnalyzePlanRequest_TreeString_:
		t, err := s.schema(ctx, x, k.TreeString.GetPlan())
		if err != nil {
			return err
		}
		level := -1
		if k.TreeString.Level != nil && k.TreeString.GetLevel() > 0 {
			level = int(k.TreeString.GetLevel())
		}
		res.Result = &pb.AnalyzePlanResponse_TreeString_{TreeString: &pb.AnalyzePlanResponse_TreeString{TreeString: t.TreeString(level)}}
	case *pb.AnalyzePlanRequest_Explain_:
		mode, ok := explainModes[k.Explain.GetExplainMode()]
		if !ok {
			return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INVALID_ENUM", "fullName", "spark.connect.AnalyzePlanRequest.Explain",
				"name", k.Explain.GetExplainMode().String(), "number", itoa(int64(k.Explain.GetExplainMode())))
		}
		r, err := relationOf(k.Explain.GetPlan())
		if err != nil {
			return err
		}
		n, err := s.translator(x).Relation(r)
		if err != nil {
			return err
		}
		n, job, err := s.resolveJob(ctx, x, n, nil, nil, false)
		if err != nil {
			return err
		}
		text, err := e.Explain(ctx, &Query{Session: x, Plan: n, Job: job, Text: title(r)}, mode)
		if err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_Explain_{Explain: &pb.AnalyzePlanResponse_Explain{ExplainString: text}}
	case *pb.AnalyzePlanRequest_IsLocal_:
		n, _, err := s.resolved(ctx, x, k.IsLocal.GetPlan())
		if err != nil {
			return err
		}
		local := false
		switch n.(type) {
		case *plan.LocalRelation, *plan.Command:
			local = true
		}
		res.Result = &pb.AnalyzePlanResponse_IsLocal_{IsLocal: &pb.AnalyzePlanResponse_IsLocal{IsLocal: local}}
	case *pb.AnalyzePlanRequest_IsStreaming_:
		n, _, err := s.resolved(ctx, x, k.IsStreaming.GetPlan())
		if err != nil {
			return err
		}
		streaming := false
		plan.WalkNodes(n, func(n plan.Node) bool {
			switch n := n.(type) {
			case *plan.Relation:
				streaming = streaming || n.Streaming
			case *plan.DataSource:
				streaming = streaming || n.Streaming
			case *plan.UnresolvedTable:
				streaming = streaming || n.Streaming
			}
			return !streaming
		})
		res.Result = &pb.AnalyzePlanResponse_IsStreaming_{IsStreaming: &pb.AnalyzePlanResponse_IsStreaming{IsStreaming: streaming}}
	case *pb.AnalyzePlanRequest_InputFiles_:
		n, _, err := s.node(x, k.InputFiles.GetPlan())
		if err != nil {
			return err
		}
		files, err := e.InputFiles(ctx, x, n)
		if err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_InputFiles_{InputFiles: &pb.AnalyzePlanResponse_InputFiles{Files: files}}
	case *pb.AnalyzePlanRequest_DdlParse:
		p := s.opt.Parser(x)
		t, err := p.DataType(k.DdlParse.GetDdlString())
		if err != nil {
			if t, err = p.Schema(k.DdlParse.GetDdlString()); err != nil {
				return err
			}
		}
		d, err := translate.TypeProto(t)
		if err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_DdlParse{DdlParse: &pb.AnalyzePlanResponse_DDLParse{Parsed: d}}
	case *pb.AnalyzePlanRequest_JsonToDdl:
		t, err := types.ParseJSON(k.JsonToDdl.GetJsonString())
		if err != nil {
			return errs.New(errs.IllegalArgument, "INVALID_JSON_DATA_TYPE", "invalidType", k.JsonToDdl.GetJsonString()).Because(err)
		}
		text := t.DDL()
		if t.Kind != types.Struct {
			text = t.SQL()
		}
		res.Result = &pb.AnalyzePlanResponse_JsonToDdl{JsonToDdl: &pb.AnalyzePlanResponse_JsonToDDL{DdlString: text}}
	case *pb.AnalyzePlanRequest_SameSemantics_:
		a, _, err := s.resolved(ctx, x, k.SameSemantics.GetTargetPlan())
		if err != nil {
			return err
		}
		b, _, err := s.resolved(ctx, x, k.SameSemantics.GetOtherPlan())
		if err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_SameSemantics_{SameSemantics: &pb.AnalyzePlanResponse_SameSemantics{Result: plan.Canonical(a) == plan.Canonical(b)}}
	case *pb.AnalyzePlanRequest_SemanticHash_:
		n, _, err := s.resolved(ctx, x, k.SemanticHash.GetPlan())
		if err != nil {
			return err
		}
		h := fnv.New32a()
		h.Write([]byte(plan.Canonical(n)))
		res.Result = &pb.AnalyzePlanResponse_SemanticHash_{SemanticHash: &pb.AnalyzePlanResponse_SemanticHash{Result: int32(h.Sum32())}}
	case *pb.AnalyzePlanRequest_Persist_:
		n, err := s.rel(x, k.Persist.GetRelation())
		if err != nil {
			return err
		}
		// The default of Dataset.persist: memory and disk, deserialized.
		level := StorageLevel{Disk: true, Memory: true, Deserialized: true, Replication: 1}
		if l := k.Persist.GetStorageLevel(); l != nil {
			level = StorageLevel{Disk: l.GetUseDisk(), Memory: l.GetUseMemory(), OffHeap: l.GetUseOffHeap(), Deserialized: l.GetDeserialized(), Replication: l.GetReplication()}
		}
		if err := e.Persist(ctx, x, n, level); err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_Persist_{Persist: &pb.AnalyzePlanResponse_Persist{}}
	case *pb.AnalyzePlanRequest_Unpersist_:
		n, err := s.rel(x, k.Unpersist.GetRelation())
		if err != nil {
			return err
		}
		if err := e.Unpersist(ctx, x, n, k.Unpersist.GetBlocking()); err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_Unpersist_{Unpersist: &pb.AnalyzePlanResponse_Unpersist{}}
	case *pb.AnalyzePlanRequest_GetStorageLevel_:
		n, err := s.rel(x, k.GetStorageLevel.GetRelation())
		if err != nil {
			return err
		}
		l, err := e.StorageLevel(ctx, x, n)
		if err != nil {
			return err
		}
		res.Result = &pb.AnalyzePlanResponse_GetStorageLevel_{GetStorageLevel: &pb.AnalyzePlanResponse_GetStorageLevel{StorageLevel: &pb.StorageLevel{
			UseDisk: l.Disk, UseMemory: l.Memory, UseOffHeap: l.OffHeap, Deserialized: l.Deserialized, Replication: max(l.Replication, 1),
		}}}
	default:
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.UNKNOWN_ANALYZE_METHOD", "other", "ANALYZE_NOT_SET")
	}
	return nil
}

// resolved translates and analyses a plan.
func (s *Server) resolved(ctx context.Context, x *session.Session, p *pb.Plan) (plan.Node, *pb.Relation, error) {
	n, r, err := s.node(x, p)
	if err != nil {
		return nil, nil, err
	}
	n, err = s.opt.Engine.Analyze(ctx, x, n)
	return n, r, err
}

func (s *Server) schema(ctx context.Context, x *session.Session, p *pb.Plan) (*types.Type, error) {
	n, _, err := s.resolved(ctx, x, p)
	if err != nil {
		return nil, err
	}
	t := &types.Type{Kind: types.Struct}
	for _, a := range n.Output() {
		t.Fields = append(t.Fields, types.Field{Name: a.Name, Type: a.T, Nullable: a.Null, Metadata: a.Metadata})
	}
	return t, nil
}
