// Package obs is what the server shows of itself: metrics (Prometheus) and the log.
package obs

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are all metrics of a server. Each server has its own registry, so
// that tests can run several.
type Metrics struct {
	Registry *prometheus.Registry

	Queries        *prometheus.CounterVec   // by job type and outcome
	QuerySeconds   *prometheus.HistogramVec // by job type
	Tasks          *prometheus.CounterVec   // by job type and outcome
	Suspensions    prometheus.Counter
	SuspendSeconds prometheus.Histogram     // request to yield
	ResumeSeconds  prometheus.Histogram     // free slot to first step
	SuspendedBytes prometheus.Histogram     // that a task holds when it is suspended
	Batches        *prometheus.CounterVec   // micro-batches by query name
	BatchSeconds   *prometheus.HistogramVec // trigger to commit
	InputRows      *prometheus.CounterVec   // of streaming queries
}

// latency is buckets from 5 us to 10 s, about three a decade.
var latency = []float64{5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, .1, .2, .5, 1, 2, 5, 10}

// NewMetrics registers all metrics.
func NewMetrics() *Metrics {
	m := &Metrics{Registry: prometheus.NewRegistry()}
	reg := m.Registry
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "neptune_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	hist := func(name, help string, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "neptune_" + name, Help: help, Buckets: latency}, labels)
		reg.MustRegister(h)
		return h
	}
	m.Queries = counter("queries_total", "Queries that ended, by job type and outcome.", "job_type", "outcome")
	m.QuerySeconds = hist("query_seconds", "Time from submission of a query to its end.", "job_type")
	m.Tasks = counter("tasks_total", "Tasks that ended, by job type and outcome.", "job_type", "outcome")
	m.Suspensions = counter("suspensions_total", "Tasks suspended for more critical ones.").WithLabelValues()
	m.SuspendSeconds = hist("suspend_seconds", "Time from the request to suspend a task to its yield.").WithLabelValues().(prometheus.Histogram)
	m.ResumeSeconds = hist("resume_seconds", "Time from the slot being free to a suspended task's next step.").WithLabelValues().(prometheus.Histogram)
	m.SuspendedBytes = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "neptune_suspended_task_bytes", Help: "Memory that a task holds when it is suspended.",
		Buckets: prometheus.ExponentialBuckets(16<<10, 4, 10)})
	reg.MustRegister(m.SuspendedBytes)
	m.Batches = counter("micro_batches_total", "Micro-batches committed, by streaming query.", "query")
	m.BatchSeconds = hist("micro_batch_seconds", "Time from trigger to commit of a micro-batch.", "query")
	m.InputRows = counter("stream_input_rows_total", "Rows read by streaming queries.", "query")
	return m
}

// Gauge registers a value that is read when the metrics are.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "neptune_" + name, Help: help}, read))
}

// Counters registers a counter with a label, whose values by label are read when the metrics are.
func (m *Metrics) Counters(name, help, label string, read func() map[string]int64) {
	m.Registry.MustRegister(&counters{prometheus.NewDesc("neptune_"+name, help, []string{label}, nil), read})
}

// Gauges registers values with a label, read when the metrics are.
func (m *Metrics) Gauges(name, help, label string, read func() map[string]float64) {
	m.Registry.MustRegister(&gauges{prometheus.NewDesc("neptune_"+name, help, []string{label}, nil), read})
}

type gauges struct {
	desc *prometheus.Desc
	read func() map[string]float64
}

func (c *gauges) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c *gauges) Collect(ch chan<- prometheus.Metric) {
	for label, v := range c.read() {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, v, label)
	}
}

type counters struct {
	desc *prometheus.Desc
	read func() map[string]int64
}

func (c *counters) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c *counters) Collect(ch chan<- prometheus.Metric) {
	for label, n := range c.read() {
		ch <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(n), label)
	}
}
