// Package bench is what experiments have in common: reports as JSON, as a table
// and as a plot, and the figures of repeated measurements.
package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Report is the outcome of an experiment.
type Report struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Rig     string     `json:"rig"` // what it ran on
	Runs    int        `json:"repetitions"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"` // as the table shows them
	// Values are the measurements by name, in the unit that the name says.
	Values map[string]Stat `json:"values"`
	Checks []Check         `json:"checks"`
	Plot   *Plot           `json:"-"`
	Notes  []string        `json:"notes,omitempty"`
}

// Check is one condition of the experiment's "holds when".
type Check struct {
	Name   string `json:"name"`
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"`
}

// Check adds a condition.
func (r *Report) Check(name string, holds bool, format string, args ...any) {
	r.Checks = append(r.Checks, Check{name, holds, fmt.Sprintf(format, args...)})
}

// Row adds a row of the table.
func (r *Report) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case Stat:
			row[i] = c.String()
		case float64:
			row[i] = number(c)
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	r.Rows = append(r.Rows, row)
}

// Value adds a measurement and returns it.
func (r *Report) Value(name string, samples []float64) Stat {
	if r.Values == nil {
		r.Values = map[string]Stat{}
	}
	s := Of(samples)
	r.Values[name] = s
	return s
}

// Holds reports whether all conditions hold.
func (r *Report) Holds() bool {
	return !slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.Holds })
}

// WriteJSON writes the report for machines.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteTable writes the report as Markdown.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n%s, %d repetitions; medians with 95 %% intervals\n\n", r.Name, r.Title, r.Rig, r.Runs)
	all := append([][]string{r.Columns}, r.Rows...)
	widths := make([]int, len(r.Columns))
	for _, row := range all {
		for i, c := range row {
			if i < len(widths) {
				widths[i] = max(widths[i], len([]rune(c)))
			}
		}
	}
	for k, row := range all {
		for i, c := range row {
			fmt.Fprintf(&b, "| %s%s ", c, strings.Repeat(" ", widths[i]-len([]rune(c))))
		}
		b.WriteString("|\n")
		if k == 0 {
			for _, n := range widths {
				b.WriteString("|" + strings.Repeat("-", n+2))
			}
			b.WriteString("|\n")
		}
	}
	b.WriteString("\n")
	for _, c := range r.Checks {
		verdict := "holds"
		if !c.Holds {
			verdict = "DOES NOT HOLD"
		}
		fmt.Fprintf(&b, "%s: %s (%s)\n", verdict, c.Name, c.Detail)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(&b, n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Stat is a median with the 95 % interval that order statistics give it.
type Stat struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	N      int     `json:"n"`
}

// Of computes the figures of samples; it doesn't change them.
func Of(samples []float64) Stat {
	n := len(samples)
	if n == 0 {
		return Stat{}
	}
	s := slices.Clone(samples)
	slices.Sort(s)
	// The interval from the k-th smallest to the k-th largest has the median with
	// probability 1 - 2 P(Binomial(n, 1/2) < k).
	k, cdf, p := 0, 0.0, math.Pow(0.5, float64(n))
	for i := 0; i < n/2; i++ {
		cdf += p
		if cdf > 0.025 {
			break
		}
		k = i + 1
		p = p * float64(n-i) / float64(i+1)
	}
	k = max(k, 1)
	return Stat{Median: Quantile(s, 0.5), Low: s[k-1], High: s[n-k], N: n}
}

// Quantile of sorted samples, interpolated.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

func (s Stat) String() string {
	if s.Low == s.High {
		return number(s.Median)
	}
	return fmt.Sprintf("%s [%s, %s]", number(s.Median), number(s.Low), number(s.High))
}

// number writes x with three digits that count.
func number(x float64) string {
	switch a := math.Abs(x); {
	case x == math.Trunc(x) && a < 1e7:
		return fmt.Sprintf("%.0f", x)
	case a >= 100:
		return fmt.Sprintf("%.0f", x)
	case a >= 10:
		return fmt.Sprintf("%.1f", x)
	case a >= 1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.3g", x)
}
