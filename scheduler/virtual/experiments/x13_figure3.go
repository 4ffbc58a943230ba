package experiments

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"neptune/internal/bench"
	"neptune/scheduler/virtual"
)

// figure3 is X13: the paper's toy schedule, equal to what is computed by hand.
func figure3(_ context.Context, o Options) (*bench.Report, error) {
	o.Runs = 1 // nothing in it is random
	r := report(o, "x13 virtual", "figure 3 of the paper", "2 executors x 2 slots, no message takes time; T is a second", "mode", "makespan T", "by hand", "stream response T", "by hand", "redone T", "by hand")
	r.Plot = &bench.Plot{Title: "Figure 3: batch (blue) and stream (yellow); faint: thrown away", X: "T"}
	for _, mode := range allModes {
		conf, jobs := virtual.Figure3(mode, mustPolicy("lma"))
		res, err := virtual.Run(conf, jobs)
		if err != nil {
			return nil, err
		}
		want := virtual.Figure3Expected[mode]
		span, resp, redone := res.Makespan.Seconds(), res.Jobs[1].Response().Seconds(), res.Redone.Seconds()
		r.Row(string(mode), span, want.Makespan, resp, want.Response, redone, want.Redone)
		r.Value(string(mode)+" makespan T", []float64{span})
		r.Value(string(mode)+" response T", []float64{resp})
		r.Check(string(mode), span == float64(want.Makespan) && resp == float64(want.Response) && redone == float64(want.Redone), "%g, %g, %g", span, resp, redone)
		slices.SortFunc(res.Spans, func(a, b virtual.Span) int {
			return strings.Compare(fmt.Sprint(a.Executor, a.Slot, a.From), fmt.Sprint(b.Executor, b.Slot, b.From))
		})
		for _, s := range res.Spans {
			r.Plot.Bars = append(r.Plot.Bars, bench.Bar{Panel: strings.ToUpper(string(mode)), Lane: fmt.Sprintf("%s/%d", s.Executor, s.Slot+1),
				Label: fmt.Sprintf("%s%d.%d", jobs[s.Job].Name[:1], s.Stage+1, s.Index+1), From: s.From.Seconds(), To: s.To.Seconds(), Kind: s.Job, Faint: s.Lost})
		}
	}
	return r, nil
}
