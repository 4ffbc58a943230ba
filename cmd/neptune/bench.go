package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"neptune/internal/bench"
	"neptune/scheduler/virtual/experiments"
	real "neptune/sidecar/experiments"
)

// Options are the flags of neptune bench.
type Options struct {
	Runs  int    // repetitions
	Seed  uint64 // of the first
	Quick bool   // fewer and shorter, to see that it works
	Args  []string
}

// Report is the outcome of an experiment.
type Report = *bench.Report

// Experiment is one verb of neptune bench.
type Experiment struct {
	Name string // x1
	Doc  string // one line
	Run  func(ctx context.Context, o Options) (Report, error)
}

// benchExperiments lists the experiments; several may have one name: the rigs that it runs on.
func benchExperiments() []Experiment {
	return append(virtualExperiments(), realExperiments()...)
}

// realExperiments are those on the engine, in this process.
func realExperiments() (out []Experiment) {
	for _, x := range real.All() {
		on := func(processes int, where string) {
			out = append(out, Experiment{x.Name, x.Doc + where, func(ctx context.Context, o Options) (Report, error) {
				return x.Run(ctx, real.Options{Runs: o.Runs, Quick: o.Quick, Processes: processes})
			}})
		}
		on(0, " (embedded executor)")
		if x.Processes {
			on(2, " (2 executor processes x 1 slot)")
		}
	}
	return out
}

// virtualExperiments are those in simulated time.
func virtualExperiments() (out []Experiment) {
	for _, x := range experiments.All() {
		out = append(out, Experiment{x.Name, x.Doc + " (virtual time)", func(ctx context.Context, o Options) (Report, error) {
			return x.Run(ctx, experiments.Options{Runs: o.Runs, Seed: o.Seed, Quick: o.Quick})
		}})
	}
	return out
}

var errDoesNotHold = errors.New("not all conditions hold")

func benchCommand() *cobra.Command {
	var o Options
	var out string
	root := &cobra.Command{
		Use:   "bench",
		Short: "Run the experiments of the Neptune paper, and ours",
		Long:  "Each experiment prints a table and the conditions that should hold, and writes <name>.json, <name>.md and <name>.svg to --out.",
	}
	root.PersistentFlags().IntVar(&o.Runs, "runs", 10, "repetitions")
	root.PersistentFlags().Uint64Var(&o.Seed, "seed", 1, "seed of the first repetition")
	root.PersistentFlags().BoolVar(&o.Quick, "quick", false, "smaller, to see that it works; the figures mean little")
	root.PersistentFlags().StringVar(&out, "out", "", "folder for JSON, table and plot; empty: only the table is printed")
	byName := map[string][]Experiment{}
	var names []string
	for _, x := range benchExperiments() {
		if byName[x.Name] == nil {
			names = append(names, x.Name)
		}
		byName[x.Name] = append(byName[x.Name], x)
	}
	run := func(ctx context.Context, list []Experiment) error {
		failed := false
		for _, x := range list {
			r, err := x.Run(ctx, o)
			if err != nil {
				return fmt.Errorf("%s: %w", x.Name, err)
			}
			if err := r.WriteTable(os.Stdout); err != nil {
				return err
			}
			fmt.Println()
			if out != "" {
				if err := save(out, r); err != nil {
					return err
				}
			}
			failed = failed || !r.Holds()
		}
		if failed {
			return errDoesNotHold
		}
		return nil
	}
	for _, n := range names {
		list := byName[n]
		var also []string
		if n == "x1" {
			also = []string{"x2"} // one run measures both
		}
		root.AddCommand(&cobra.Command{Use: n, Aliases: also, Short: list[0].Doc, RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			return run(ctx, list)
		}})
	}
	root.AddCommand(&cobra.Command{Use: "all", Short: "All of them", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
		defer stop()
		return run(ctx, benchExperiments())
	}})
	return root
}

// save writes a report's three forms.
func save(dir string, r Report) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	r.Notes = append(r.Notes, fmt.Sprintf("%d cores", runtime.NumCPU()))
	write := func(ext string, to func(f *os.File) error) {
		if err != nil {
			return
		}
		f, e := os.Create(filepath.Join(dir, strings.ReplaceAll(r.Name, " ", "-")+ext))
		if e != nil {
			err = e
			return
		}
		err = errors.Join(to(f), f.Close())
	}
	write(".json", func(f *os.File) error { return r.WriteJSON(f) })
	write(".md", func(f *os.File) error { return r.WriteTable(f) })
	if r.Plot != nil {
		write(".svg", func(f *os.File) error { return r.Plot.WriteSVG(f) })
	}
	return err
}
