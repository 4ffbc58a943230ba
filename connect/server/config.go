package server

import (
	"context"
	"strings"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/internal/errs"
)

// Config reads and changes a session's configuration.
func (s *Server) Config(_ context.Context, req *pb.ConfigRequest) (*pb.ConfigResponse, error) {
	x, done, err := s.open(req.GetUserContext(), req.GetSessionId(), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, err
	}
	defer done()
	res := &pb.ConfigResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID}
	if err := config(x.Conf, req.GetOperation(), res); err != nil {
		return nil, statusOf(x, err)
	}
	return res, nil
}

func config(c *session.Conf, op *pb.ConfigRequest_Operation, res *pb.ConfigResponse) error {
	add := func(k string, v *string) { res.Pairs = append(res.Pairs, &pb.KeyValue{Key: k, Value: v}) }
	switch k := op.GetOpType().(type) {
	case *pb.ConfigRequest_Operation_Set:
		for _, p := range k.Set.GetPairs() {
			err := c.Set(p.GetKey(), p.GetValue())
			// A builder's silent batch warns of what can't be set; a wrong job type is never let through.
			if err != nil && k.Set.GetSilent() && !session.IsJobTypeKey(p.GetKey()) {
				res.Warnings = append(res.Warnings, err.Error())
				continue
			}
			if err != nil {
				return err
			}
			if w := c.Ignored(p.GetKey(), p.GetValue()); w != "" {
				res.Warnings = append(res.Warnings, w)
			}
			add(p.GetKey(), nil)
		}
	case *pb.ConfigRequest_Operation_Get:
		for _, key := range k.Get.GetKeys() {
			v, err := c.MustGet(key)
			if err != nil {
				return err
			}
			add(key, &v)
		}
	case *pb.ConfigRequest_Operation_GetWithDefault:
		for _, p := range k.GetWithDefault.GetPairs() {
			v := p.Value
			// The client's default outranks the table's, none at all too.
			if have, ok := c.Explicit(p.GetKey()); ok {
				v = &have
			}
			add(p.GetKey(), v)
		}
	case *pb.ConfigRequest_Operation_GetOption:
		for _, key := range k.GetOption.GetKeys() {
			if v, ok := c.Get(key); ok {
				add(key, &v)
			} else {
				add(key, nil)
			}
		}
	case *pb.ConfigRequest_Operation_GetAll:
		keys, values := c.All()
		for _, key := range keys {
			v := values[key]
			if rest, ok := strings.CutPrefix(key, k.GetAll.GetPrefix()); ok {
				add(rest, &v)
			}
		}
	case *pb.ConfigRequest_Operation_Unset:
		for _, key := range k.Unset.GetKeys() {
			if err := c.Unset(key); err != nil {
				return err
			}
			add(key, nil)
		}
	case *pb.ConfigRequest_Operation_IsModifiable:
		for _, key := range k.IsModifiable.GetKeys() {
			v := "false"
			if session.IsModifiable(key) {
				v = "true"
			}
			add(key, &v)
		}
	default:
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.ConfigRequest.Operation", "name", "op_type")
	}
	return nil
}
