package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTop(t *testing.T) {
	answer := `{"version":"1.2","mode":"neptune","policy":"lma","now":"2026-01-02T03:04:05Z","started":"2026-01-02T03:00:00Z",
		"memory":{"reserved":2147483648,"limit":4294967296,"suspended":1048576,"suspended_limit":2097152},
		"suspend":{"count":12,"p50":0.00005,"p99":0.001},"resume":{"count":12,"p50":0.00002,"p99":0.0005},"slot_time":{"stream":49,"batch":147},
		"executors":[{"id":"driver","host":"localhost","slots":2,"running":2,"suspended":1,"blocked":0,"reserved":true},
			{"id":"x-1","host":"h","slots":0,"memory":{"reserved":1048576,"limit":2097152},"spilled":3072,"gc":0.03,"heard":"2026-01-02T03:03:58Z"}],
		"jobs":[{"type":"batch","origin":"server","text":"SELECT\n 1","seconds":61,"suspensions":3,
			"stages":[{"tasks":4,"completed":4,"done":true,"bytes":2048,"replanned":"8 partitions coalesced to 4"},{"tasks":2,"running":1,"suspended":1}]}]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/neptune" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, answer)
	}))
	defer srv.Close()
	var b bytes.Buffer
	if err := top(context.Background(), &b, srv.URL+"/", time.Second, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"neptune 1.2", "up 4m5s", "2.0 GiB of 4.0 GiB", "12 times, p50 < 50µs, p99 < 1ms", "stream 10 %, batch 30 % of the slots (batch share 75 %)", "stage 0: 8 partitions", "driver", "1m1s", "4/6, stage 2/2", "SELECT 1", "reserved", "1.0 MiB / 2.0 MiB     3 KiB  3 % silent for 7s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	srv.Close()
	if err := top(context.Background(), &b, srv.URL, time.Second, true); err == nil || !strings.Contains(err.Error(), "is a server running there") {
		t.Error(err)
	}
}
