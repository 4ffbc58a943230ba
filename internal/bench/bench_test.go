package bench

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func TestMedianInterval(t *testing.T) {
	s := Of([]float64{10, 1, 9, 2, 8, 3, 7, 4, 6, 5})
	// Of ten samples the second smallest and largest enclose the median with 97.9 %.
	if s.Median != 5.5 || s.Low != 2 || s.High != 9 || s.N != 10 {
		t.Errorf("got %+v", s)
	}
	if s := Of([]float64{3}); s.Median != 3 || s.Low != 3 || s.High != 3 {
		t.Errorf("got %+v", s)
	}
	if Of(nil) != (Stat{}) {
		t.Error("no samples have no figures")
	}
}

func TestReportForms(t *testing.T) {
	r := &Report{Name: "x0", Title: "test <&>", Columns: []string{"mode", "ms"}}
	r.Row("fifo", r.Value("fifo ms", []float64{1, 2, 3}))
	r.Check("it is so", true, "%d", 1)
	if !r.Holds() {
		t.Error("it holds")
	}
	r.Check("it is not", false, "")
	if r.Holds() {
		t.Error("it doesn't hold")
	}
	var table, js bytes.Buffer
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "| fifo | 2 [1, 3] |") || !strings.Contains(table.String(), "DOES NOT HOLD") {
		t.Errorf("%s, %v", table.String(), err)
	}
	if err := r.WriteJSON(&js); err != nil || !strings.Contains(js.String(), `"median": 2`) {
		t.Errorf("%s, %v", js.String(), err)
	}
	for _, p := range []*Plot{
		{Title: "a<b", Words: []string{"x", "y"}, Log: true, Series: []Series{{"s", []Point{{0, 1, 0.5, 2}, {1, 1000, 0, 0}}}}},
		{Series: []Series{{"s", []Point{{0, 0, 0, 0}, {1, 3, 2, 4}}}}},
		{Bars: []Bar{{Panel: "p", Lane: "l", From: 0, To: 3}}},
	} {
		var b bytes.Buffer
		if err := p.WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(&b)
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(b.String(), "NaN") {
			t.Error("a plot has no numbers")
		}
	}
}
