package app

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"portico/backends"
)

// metrics are what /metrics shows. docs/grafana.json is a dashboard over them.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	in, out   prometheus.Counter
	calls     *prometheus.CounterVec
	callTime  *prometheus.HistogramVec
	decisions *prometheus.CounterVec
	reloads   *prometheus.CounterVec
	stale     prometheus.Gauge
	unsent    *prometheus.GaugeVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("requests_total", "Requests by method and status.", "method", "code"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portico_request_seconds", Help: "Time to answer, by method.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10),
		}, []string{"method"}),
		in:    prometheus.NewCounter(prometheus.CounterOpts{Name: "portico_bytes_in_total", Help: "Bytes of request bodies."}),
		out:   prometheus.NewCounter(prometheus.CounterOpts{Name: "portico_bytes_out_total", Help: "Bytes of answers' bodies."}),
		calls: counter("backend_calls_total", "Calls to the storage by kind and result.", "storage", "call", "result"),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portico_backend_call_seconds", Help: "Time of calls to the storage.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 10),
		}, []string{"storage"}),
		decisions: counter("acl_decisions_total", "Decisions of the rules.", "result"),
		reloads:   counter("config_reloads_total", "Reloads of the config by result.", "result"),
		stale: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "portico_config_stale", Help: "1 while the config file has a fault and older rules are in force.",
		}),
	}
	m.unsent = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "portico_audit_unsent_rows", Help: "Rows of the audit that a sink has not taken yet.",
	}, []string{"sink"})
	m.registry.MustRegister(m.requests, m.seconds, m.in, m.out, m.calls, m.callTime, m.decisions, m.reloads, m.stale, m.unsent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "portico_" + name, Help: help}, labels)
}

// gauge shows a number that somebody else keeps.
func (m *metrics) gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "portico_" + name, Help: help}, read))
}

// counted shows a counter that somebody else keeps.
func (m *metrics) counted(name, help, label, value string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "portico_" + name, Help: help, ConstLabels: prometheus.Labels{label: value},
	}, read))
}

func (m *metrics) request(s seen) {
	method := methodLabel(s.method)
	m.requests.WithLabelValues(method, strconv.Itoa(s.status)).Inc()
	m.seconds.WithLabelValues(method).Observe(s.took.Seconds())
	m.in.Add(float64(s.in))
	m.out.Add(float64(s.out))
}

// methodLabel keeps a client's own words out of the metrics.
func methodLabel(method string) string {
	if knownMethod(method) {
		return method
	}
	return "other"
}

func knownMethod(method string) bool { return slices.Contains(methods(), method) }

// call is the hook of one storage.
func (m *metrics) call(storage string) func(backends.Call) {
	return func(c backends.Call) {
		result := "ok"
		if c.Err != nil {
			result = "error"
		}
		m.calls.WithLabelValues(storage, c.Name, result).Inc()
		m.callTime.WithLabelValues(storage).Observe(c.Took.Seconds())
	}
}

// lag hears how far a sink of the audit is behind.
func (m *metrics) lag(sink string, rows int64) { m.unsent.WithLabelValues(sink).Set(float64(rows)) }

func (m *metrics) decided(allowed bool) {
	if allowed {
		m.decisions.WithLabelValues("allowed").Inc()
	} else {
		m.decisions.WithLabelValues("denied").Inc()
	}
}

func (m *metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
	return mux
}

// readTimeout bounds what a scrape waits for the state store.
const readTimeout = 2 * time.Second

// read reads a number from the state store, -1 if it does not answer.
func read(f func(context.Context) (int, error)) func() float64 {
	return func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
		defer cancel()
		n, err := f(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	}
}
