package sidecar

import (
	"neptune/conf"
	"neptune/connect/session"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// schedulerConf is what the configuration says to the scheduler.
func schedulerConf(c *conf.Conf, pol policy.Policy) core.Conf {
	s := core.Conf{
		Mode: core.Mode(c.Mode), Policy: pol, StreamPriority: session.StreamPriority,
		MaxFailures: c.MaxFailures, MaxStageAttempts: c.MaxStageAttempts, LocalityWait: c.LocalityWait,
		StaticStreamShare: c.StaticShare, MaxSuspensions: c.MaxSuspensions, ProtectedRun: c.ProtectedRun, BatchMinShare: c.BatchMinShare,
		Speculation: c.Speculation, SpeculationQuantile: c.SpecQuantile, SpeculationMultiplier: c.SpecMultiplier,
		Pools: map[string]core.Pool{},
	}
	for name, p := range c.Pools {
		s.Pools[name] = core.Pool{Weight: p.Weight, MinShare: p.MinShare, Fair: p.Fair}
	}
	return s
}
