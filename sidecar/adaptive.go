package sidecar

import (
	"strconv"
	"strings"

	"neptune/conf"
	"neptune/scheduler/stagegraph"
)

const initialPartitions = "spark.sql.adaptive.coalescePartitions.initialPartitionNum"

// adaptive is what a session's spark.sql.adaptive.* say; nil: its stages run as
// they were planned. Values were checked when they were set.
func (e *Engine) adaptive(c *sessionConf) *stagegraph.Adaptive {
	const prefix = "spark.sql.adaptive."
	is := func(key string) bool { return !strings.EqualFold(c.keys[key], "false") }
	bytes := func(key string, otherwise int64) int64 {
		if v, ok := c.keys[key]; ok {
			if n, err := conf.ParseBytes(v); err == nil {
				return n
			}
			if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
				return n // -1, and the like
			}
		}
		return otherwise
	}
	if !is(prefix + "enabled") {
		return nil
	}
	a := &stagegraph.Adaptive{
		Coalesce:      is(prefix + "coalescePartitions.enabled"),
		Advisory:      bytes(prefix+"advisoryPartitionSizeInBytes", bytes(prefix+"shuffle.targetPostShuffleInputSize", 64<<20)),
		MinPartition:  bytes(prefix+"coalescePartitions.minPartitionSize", 1<<20),
		MinTasks:      1,
		Skew:          is(prefix + "skewJoin.enabled"),
		SkewThreshold: bytes(prefix+"skewJoin.skewedPartitionThresholdInBytes", 256<<20),
		SkewFactor:    5,
		Broadcast:     bytes(prefix+"autoBroadcastJoinThreshold", bytes("spark.sql.autoBroadcastJoinThreshold", 10<<20)),
	}
	if is(prefix + "coalescePartitions.parallelismFirst") {
		a.MinTasks = e.slots()
	}
	if n, err := strconv.Atoi(c.keys[prefix+"coalescePartitions.minPartitionNum"]); err == nil && n > 0 {
		a.MinTasks = n
	}
	if f, err := strconv.ParseFloat(c.keys[prefix+"skewJoin.skewedPartitionFactor"], 64); err == nil && f > 0 {
		a.SkewFactor = f
	}
	return a
}
