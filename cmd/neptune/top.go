package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// status is what /api/v1/neptune gives.
type status struct {
	Version, Mode, Policy string
	Now, Started          time.Time
	Memory                struct {
		Reserved, Limit, Suspended int64
		SuspendedLimit             int64 `json:"suspended_limit"`
	}
	Suspend, Resume struct {
		Count    uint64
		P50, P99 float64
	}
	// SlotTime is for how long tasks had slots, in seconds.
	SlotTime struct {
		Stream, Batch float64
	} `json:"slot_time"`
	Executors []struct {
		ID, Host                           string
		Slots, Running, Suspended, Blocked int
		Reserved, Draining                 bool
		Memory                             *struct{ Reserved, Limit, Suspended int64 } // of executors that are processes of their own
		Spilled                            int64
		GC                                 float64
		Heard                              *time.Time
	}
	Jobs []struct {
		Operation, Type, Origin, User, Session, Text, Pool string
		Priority                                           int
		Seconds                                            float64
		Suspensions                                        int64
		Stages                                             []struct {
			Tasks, Completed, Running, Suspended int
			Bytes                                int64
			Done                                 bool
			Replanned                            string
		}
	}
}

func topCommand() *cobra.Command {
	var url string
	var every time.Duration
	var once bool
	c := &cobra.Command{
		Use:   "top",
		Short: "Show what a server does: executors, jobs, suspended tasks",
		Long: `Shows the jobs, tasks and executors of a running server, anew each second: how
many tasks of each job run and how many are suspended, and how long suspending
and resuming took. It reads the server's status port (neptune.ui.port).`,
		Example: `  neptune top
  neptune top --url http://server:4040 --every 5s
  neptune top --once`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if _, _, ok := terminal(os.Stdout); !ok {
				once = true
			}
			return top(ctx, cmd.OutOrStdout(), url, every, once)
		},
	}
	c.Flags().StringVar(&url, "url", "http://127.0.0.1:4040", "address of the server's status port")
	c.Flags().DurationVar(&every, "every", time.Second, "time between two looks")
	c.Flags().BoolVar(&once, "once", false, "print one look and end, as is done when the output is no terminal")
	return c
}

func top(ctx context.Context, w io.Writer, url string, every time.Duration, once bool) error {
	var last *status
	for {
		s, err := look(ctx, url)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w; is a server running there, with a status port (--ui-port)?", err)
		}
		width, height := 120, 1000
		head := ""
		if !once {
			if x, y, ok := terminal(os.Stdout); ok {
				width, height = x, y
			}
			head = "\x1b[H\x1b[2J"
		}
		lines := s.lines(last, width)
		last = s
		if len(lines) > height-1 {
			lines = lines[:height-1]
		}
		if _, err := fmt.Fprint(w, head, strings.Join(lines, "\n"), "\n"); err != nil || once {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

func look(ctx context.Context, url string) (*status, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(url, "/")+"/api/v1/neptune", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, res.Status)
	}
	s := &status{}
	return s, json.NewDecoder(res.Body).Decode(s)
}

// share says how the slot time since the look before (nil: since the start) was
// divided, and how much of all slots that is.
func (s *status) share(last *status) string {
	since := s.Started
	stream, batch, slots := s.SlotTime.Stream, s.SlotTime.Batch, 0
	if last != nil && last.Started.Equal(s.Started) {
		since, stream, batch = last.Now, stream-last.SlotTime.Stream, batch-last.SlotTime.Batch
	}
	for _, x := range s.Executors {
		slots += x.Slots
	}
	all := s.Now.Sub(since).Seconds() * float64(slots)
	if stream+batch <= 0 || all <= 0 {
		return "idle"
	}
	return fmt.Sprintf("stream %.0f %%, batch %.0f %% of the slots (batch share %.0f %%)", 100*stream/all, 100*batch/all, 100*batch/(stream+batch))
}

// lines are the screen, each of at most width characters; last is the look before.
func (s *status) lines(last *status, width int) (out []string) {
	add := func(format string, args ...any) {
		r := []rune(fmt.Sprintf(format, args...))
		if len(r) > width {
			r = r[:width]
		}
		out = append(out, strings.TrimRight(string(r), " "))
	}
	add("neptune %s   mode %s   policy %s   up %s", s.Version, s.Mode, s.Policy, s.Now.Sub(s.Started).Round(time.Second))
	add("memory    %s of %s reserved   %s of %s held by suspended tasks", size(s.Memory.Reserved), size(s.Memory.Limit), size(s.Memory.Suspended), size(s.Memory.SuspendedLimit))
	add("slots     %s", s.share(last))
	add("suspended %d times, p50 < %s, p99 < %s   resumed p50 < %s, p99 < %s", s.Suspend.Count, seconds(s.Suspend.P50), seconds(s.Suspend.P99), seconds(s.Resume.P50), seconds(s.Resume.P99))
	add("")
	add("%-20s %-12s %5s %7s %9s %7s  %-18s %8s %4s %s", "EXECUTOR", "HOST", "SLOTS", "RUNNING", "SUSPENDED", "BLOCKED", "MEMORY", "SPILLED", "GC", "")
	for _, x := range s.Executors {
		memory, spilled, gc, note := "", "", "", ""
		if x.Memory != nil {
			memory = size(x.Memory.Reserved+x.Memory.Suspended) + " / " + size(x.Memory.Limit)
			spilled, gc = size(x.Spilled), fmt.Sprintf("%.0f %%", x.GC*100)
		}
		switch {
		case x.Draining:
			note = "draining"
		case x.Reserved:
			note = "reserved"
		case x.Heard != nil && s.Now.Sub(*x.Heard) > 5*time.Second:
			note = "silent for " + s.Now.Sub(*x.Heard).Round(time.Second).String()
		}
		add("%-20s %-12s %5d %7d %9d %7d  %-18s %8s %4s %s", x.ID, x.Host, x.Slots, x.Running, x.Suspended, x.Blocked, memory, spilled, gc, note)
	}
	add("")
	add("%-7s %-8s %8s %-16s %8s %10s %12s %9s  %s", "TYPE", "FROM", "TIME", "TASKS", "RUNNING", "SUSPENDED", "SUSPENSIONS", "READ", "QUERY")
	for _, j := range s.Jobs {
		tasks, done, running, suspended, stages := 0, 0, 0, 0, 0
		var bytes int64
		for _, t := range j.Stages {
			tasks, done, running, suspended, bytes = tasks+t.Tasks, done+t.Completed, running+t.Running, suspended+t.Suspended, bytes+t.Bytes
			if t.Done {
				stages++
			}
		}
		add("%-7s %-8s %8s %-16s %8d %10d %12d %9s  %s", j.Type, j.Origin, seconds(j.Seconds), fmt.Sprintf("%d/%d, stage %d/%d", done, tasks, min(stages+1, len(j.Stages)), len(j.Stages)),
			running, suspended, j.Suspensions, size(bytes), strings.Join(strings.Fields(j.Text), " "))
		for i, t := range j.Stages {
			if t.Replanned != "" {
				add("        stage %d: %s", i, t.Replanned)
			}
		}
	}
	if len(s.Jobs) == 0 {
		add("no jobs under way")
	}
	return out
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}
