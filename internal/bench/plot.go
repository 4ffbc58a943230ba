package bench

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Plot is a figure: lines over numbers, dots over words, or bars in time.
type Plot struct {
	Title, X, Y string
	Log         bool // the y axis is logarithmic
	Series      []Series
	Words       []string // if given, X of a point is an index into them
	Bars        []Bar    // if given, the plot is a schedule, and Series are ignored
}

// Series is one line, or one colour of dots.
type Series struct {
	Name   string
	Points []Point
}

// Point has an interval around y; Low and High both 0: none.
type Point struct{ X, Y, Low, High float64 }

// Bar is something that goes on in a lane from one time to another.
type Bar struct {
	Panel    string // a schedule of its own, below the one before
	Lane     string
	Label    string
	From, To float64
	Kind     int // colour
	Faint    bool
}

var colours = []string{"#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#9c6b4e", "#a463f2"}

const (
	width, height                = 720.0, 400.0
	left, right, top, bottomEdge = 70.0, 150.0, 40.0, 50.0
)

// WriteSVG draws the plot.
func (p *Plot) WriteSVG(w io.Writer) error {
	var b strings.Builder
	if p.Bars != nil {
		p.schedule(&b)
	} else {
		p.chart(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func open(b *strings.Builder, w, h float64, title string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="12">`+"\n", w, h)
	fmt.Fprintf(b, `<rect width="100%%" height="100%%" fill="white"/><text x="%g" y="20" font-size="14">%s</text>`+"\n", left, html.EscapeString(title))
}

func (p *Plot) chart(b *strings.Builder) {
	open(b, width, height, p.Title)
	minX, maxX, minY, maxY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range p.Series {
		for _, q := range s.Points {
			minX, maxX = min(minX, q.X), max(maxX, q.X)
			for _, y := range []float64{q.Y, q.Low, q.High} {
				if !p.Log || y > 0 {
					minY, maxY = min(minY, y), max(maxY, y)
				}
			}
		}
	}
	if p.Words != nil {
		minX, maxX = -0.5, float64(len(p.Words))-0.5
	}
	if maxX <= minX {
		maxX = minX + 1
	}
	scale := func(y float64) float64 { return y }
	if p.Log {
		scale = func(y float64) float64 { return math.Log10(max(y, minY)) }
		minY, maxY = math.Pow(10, math.Floor(math.Log10(minY))), math.Pow(10, math.Ceil(math.Log10(maxY)))
	} else {
		minY = min(0, minY)
		maxY += (maxY - minY) * 0.05
	}
	if maxY <= minY {
		maxY = minY + 1
	}
	px := func(x float64) float64 { return left + (x-minX)/(maxX-minX)*(width-left-right) }
	py := func(y float64) float64 {
		return height - bottomEdge - (scale(y)-scale(minY))/(scale(maxY)-scale(minY))*(height-top-bottomEdge)
	}
	for _, y := range ticks(minY, maxY, p.Log) {
		fmt.Fprintf(b, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, width-right, py(y), py(y), left-6, py(y)+4, number(y))
	}
	if p.Words != nil {
		for i, word := range p.Words {
			fmt.Fprintf(b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`+"\n", px(float64(i)), height-bottomEdge+18, html.EscapeString(word))
		}
	} else {
		for _, x := range ticks(minX, maxX, false) {
			fmt.Fprintf(b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`+"\n", px(x), height-bottomEdge+18, number(x))
		}
	}
	fmt.Fprintf(b, `<text x="%g" y="%g" text-anchor="middle">%s</text>`+"\n", (left+width-right)/2, height-10, html.EscapeString(p.X))
	fmt.Fprintf(b, `<text transform="translate(16 %g) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+height-bottomEdge)/2, html.EscapeString(p.Y))
	for i, s := range p.Series {
		c := colours[i%len(colours)]
		shift := 0.0
		if p.Words != nil {
			shift = (float64(i) - float64(len(p.Series)-1)/2) * 12
		} else {
			var path []string
			for _, q := range s.Points {
				path = append(path, fmt.Sprintf("%.1f,%.1f", px(q.X), py(q.Y)))
			}
			fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), c)
		}
		for _, q := range s.Points {
			x := px(q.X) + shift
			if q.Low != 0 || q.High != 0 {
				fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x, x, py(q.Low), py(q.High), c)
			}
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`+"\n", x, py(q.Y), c)
		}
		fmt.Fprintf(b, `<circle cx="%g" cy="%g" r="5" fill="%s"/><text x="%g" y="%g">%s</text>`+"\n",
			width-right+16, top+float64(i)*20, c, width-right+28, top+float64(i)*20+4, html.EscapeString(s.Name))
	}
	b.WriteString("</svg>\n")
}

// ticks are round numbers from lo to hi.
func ticks(lo, hi float64, logarithmic bool) (out []float64) {
	if logarithmic {
		for y := lo; y <= hi*1.0001; y *= 10 {
			out = append(out, y)
		}
		return out
	}
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/4)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*m) <= 7 {
			step *= m
			break
		}
	}
	for x := math.Ceil(lo/step) * step; x <= hi+step/1e6; x += step {
		out = append(out, x)
	}
	return out
}

func (p *Plot) schedule(b *strings.Builder) {
	const row, gap = 20.0, 46.0
	type lane struct{ panel, name string }
	var lanes []lane
	y := map[lane]float64{}
	end, at, last := 0.0, top, ""
	heads := map[string]float64{}
	for _, bar := range p.Bars {
		end = max(end, bar.To)
		l := lane{bar.Panel, bar.Lane}
		if _, ok := y[l]; ok {
			continue
		}
		if bar.Panel != last {
			heads[bar.Panel] = at + 14
			at += gap / 2
			last = bar.Panel
		}
		y[l] = at
		lanes = append(lanes, l)
		at += row
	}
	open(b, width, at+40, p.Title)
	px := func(t float64) float64 { return left + 30 + t/end*(width-left-60) }
	for panel, h := range heads {
		fmt.Fprintf(b, `<text x="10" y="%g" font-weight="bold">%s</text>`+"\n", h, html.EscapeString(panel))
	}
	for _, l := range lanes {
		fmt.Fprintf(b, `<text x="10" y="%g" font-size="10">%s</text>`+"\n", y[l]+14, html.EscapeString(l.name))
	}
	for _, bar := range p.Bars {
		opacity := 1.0
		if bar.Faint {
			opacity = 0.35
		}
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%g" fill="%s" fill-opacity="%g" stroke="white"/>`+"\n",
			px(bar.From), y[lane{bar.Panel, bar.Lane}], max(1, px(bar.To)-px(bar.From)), row-2, colours[bar.Kind%len(colours)], opacity)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-size="10" fill="white">%s</text>`+"\n", px(bar.From)+4, y[lane{bar.Panel, bar.Lane}]+13, html.EscapeString(bar.Label))
	}
	for _, t := range ticks(0, end, false) {
		fmt.Fprintf(b, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`+"\n", px(t), at+16, number(t))
	}
	fmt.Fprintf(b, `<text x="%g" y="%g" text-anchor="middle">%s</text>`+"\n</svg>\n", width/2, at+34, html.EscapeString(p.X))
}
