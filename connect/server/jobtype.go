package server

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"neptune/connect/session"
	"neptune/connect/translate"
	"neptune/internal/plan"
)

// resolveJob asks the marking channels in their order for the job's type, its
// pool and its latency target, and takes the hints out of the plan. stream says that the plan
// starts a streaming query.
func (s *Server) resolveJob(ctx context.Context, x *session.Session, n plan.Node, tags []string, options map[string]string, stream bool) (plan.Node, session.JobType, error) {
	n, job, err := s.resolveType(ctx, x, n, tags, options, stream)
	if err != nil {
		return nil, job, err
	}
	n, job.Pool, err = s.setting(ctx, x, n, tags, options, session.PoolKeys)
	if err != nil {
		return nil, job, err
	}
	n, target, err := s.setting(ctx, x, n, tags, options, session.TargetKeys)
	if err == nil && target != "" {
		job.Target, err = session.ParseTarget(session.TargetKeys[0], target)
	}
	return n, job, err
}

// markHints are the names of the hints that mark a job.
func markHints() []string {
	names := append([]string{"neptune_job_type", "neptune_pool", "neptune_latency_target"}, session.JobTypeKeys...)
	return append(append(names, session.PoolKeys...), session.TargetKeys...)
}

// setting finds the value of a key, given in several spellings, in the channels that the job type comes by; "" is none.
func (s *Server) setting(ctx context.Context, x *session.Session, n plan.Node, tags []string, options map[string]string, keys []string) (plan.Node, string, error) {
	hint := "neptune_latency_target"
	if keys[0] == session.PoolKeys[0] {
		hint = "neptune_pool"
	}
	n, value, found, err := translate.TakeHint(n, append([]string{hint}, keys...))
	if err != nil || found {
		return n, strings.TrimSpace(value), err
	}
	for _, t := range tags {
		if i := strings.IndexAny(t, "=:"); i >= 0 && isOneOf(keys, strings.TrimSpace(t[:i])) {
			return n, strings.TrimSpace(t[i+1:]), nil
		}
	}
	if w, ok := n.(*plan.Write); ok && options == nil {
		options = w.Options
	}
	for k, v := range options {
		if isOneOf(keys, k) {
			return n, strings.TrimSpace(v), nil
		}
	}
	for _, k := range keys {
		if v, ok := x.Conf.Own(k); ok {
			return n, strings.TrimSpace(v), nil
		}
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, k := range keys {
		if v := md.Get(k); len(v) > 0 {
			return n, strings.TrimSpace(v[0]), nil
		}
	}
	for _, k := range keys {
		if v, ok := s.opt.Conf[k]; ok {
			return n, strings.TrimSpace(v), nil
		}
	}
	return n, "", nil
}

func isOneOf(keys []string, k string) bool {
	return slices.ContainsFunc(keys, func(x string) bool { return strings.EqualFold(x, k) })
}

// resolveType is resolveJob for the type alone.
func (s *Server) resolveType(ctx context.Context, x *session.Session, n plan.Node, tags []string, options map[string]string, stream bool) (plan.Node, session.JobType, error) {
	var job session.JobType
	names := append([]string{"neptune_job_type"}, session.JobTypeKeys...)
	n, value, found, err := translate.TakeHint(n, names)
	if err != nil {
		return nil, job, err
	}
	from := func(key, value, origin string) (plan.Node, session.JobType, error) {
		p, err := session.ParseJobType(key, value)
		return n, session.JobType{Priority: p, Origin: origin}, err
	}
	if found {
		return from(session.JobTypeKeys[0], value, session.FromHint)
	}
	for _, t := range tags {
		if k, v, ok := cutTag(t); ok {
			return from(k, v, session.FromTag)
		}
	}
	if w, ok := n.(*plan.Write); ok && options == nil {
		options = w.Options
	}
	for k, v := range options {
		if session.IsJobTypeKey(k) {
			return from(k, v, session.FromOption)
		}
	}
	if job, ok, err := x.Conf.JobType(); ok || err != nil {
		return n, job, err
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, k := range session.JobTypeKeys {
		if v := md.Get(k); len(v) > 0 {
			return from(k, v[0], session.FromConnection)
		}
	}
	for _, k := range session.JobTypeKeys {
		if v, ok := s.opt.Conf[k]; ok {
			return from(k, v, session.FromServer)
		}
	}
	if s.opt.DefaultJob != nil {
		return n, session.JobType{Priority: s.opt.DefaultJob.Priority, Origin: session.FromServer}, nil
	}
	job = session.JobType{Priority: session.BatchPriority, Origin: session.FromPlan}
	if stream {
		job.Priority = session.StreamPriority
	}
	return n, job, nil
}

// cutTag reads a tag such as "neptune.job.type=stream" (or with a colon).
func cutTag(tag string) (key, value string, ok bool) {
	i := strings.IndexAny(tag, "=:")
	if i < 0 || !session.IsJobTypeKey(strings.TrimSpace(tag[:i])) {
		return "", "", false
	}
	return strings.TrimSpace(tag[:i]), tag[i+1:], true
}
