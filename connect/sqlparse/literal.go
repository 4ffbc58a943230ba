package sqlparse

import (
	"encoding/hex"
	"strings"
	"time"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// supportedLiterals are the types of literals with a type before their text, as errors list them.
const supportedLiterals = `"DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "INTERVAL", "X", "TIME"`

// typedLiteral parses DATE '...', X'...' and the like; an unknown type's is refused by name.
func (p *parser) typedLiteral() plan.Expr {
	s := p.i
	p.height = 0
	k := p.next().kind
	name := p.text(p.toks[s])
	value := p.stringValue(p.next())
	var t *types.Type
	var v any
	var ok bool
	switch k {
	case kwDate:
		t = types.DateType
		v, ok = p.dateValue(value)
	case kwTime:
		t = types.TimeType
		v, ok = types.ParseTime(value, types.DefaultTimePrecise)
	case kwTimestampNtz:
		t = types.TimestampNTZType
		v, ok = p.ntzValue(value)
	case kwTimestampLtz:
		t = types.TimestampType
		v, ok = p.ltzValue(value)
	case kwTimestamp:
		t = types.TimestampType
		if p.o.TimestampNTZ && !hasZone(value) {
			t = types.TimestampNTZType
			v, ok = p.ntzValue(value)
		} else {
			v, ok = p.ltzValue(value)
		}
	case kwInterval:
		iv, err := parseInterval(value)
		if err != nil {
			break
		}
		var units []string
		for _, w := range strings.Fields(strings.ToLower(value)) {
			if f, _ := unitField(w); f != 0 {
				units = append(units, w)
			}
		}
		if len(units) > 0 {
			return p.intervalLiteral(s, iv, units)
		}
	case kwX:
		t = types.BinaryType
		if len(value)%2 == 1 {
			value = "0" + value
		}
		b, err := hex.DecodeString(value)
		v, ok = b, err == nil
	default:
		p.fail(s, "UNSUPPORTED_TYPED_LITERAL", "unsupportedType", `"`+strings.ToUpper(name)+`"`,
			"supportedTypes", supportedLiterals)
		return bad()
	}
	if !ok {
		p.fail(s, "INVALID_TYPED_LITERAL", "valueType", `"`+strings.ToUpper(name)+`"`, "value", sqlString(p.rawValue(s)))
		return bad()
	}
	return &plan.Literal{At: p.from(s), T: t, Value: v}
}

func (p *parser) rawValue(s int) string { return p.stringValue(p.toks[s+1]) }

func hasZone(s string) bool {
	parts, ok := types.ParseTimestampParts(s)
	return ok && parts.HasZone
}

func (p *parser) zone() *time.Location {
	if p.o.TimeZone == nil {
		return time.UTC
	}
	return p.o.TimeZone
}

func (p *parser) now() time.Time {
	if p.o.Now != nil {
		return p.o.Now()
	}
	return time.Now()
}

// specialInstant reads now, today, yesterday, tomorrow and epoch as microseconds of an instant.
func (p *parser) specialInstant(s string) (us int64, ok bool) {
	word := strings.ToLower(types.TrimAll(s))
	if word == "" || word[0] < 'a' || word[0] > 'z' {
		return 0, false
	}
	loc := p.zone()
	if f := strings.Fields(word); len(f) == 2 {
		z := types.TrimAll(s)
		if _, err := types.LoadZone(strings.TrimSpace(z[len(f[0]):])); err != nil {
			return 0, false
		}
		word = f[0] // a zone may follow, and doesn't count
	}
	now := p.now().In(loc)
	midnight := func(days int) int64 {
		return time.Date(now.Year(), now.Month(), now.Day()+days, 0, 0, 0, 0, loc).UnixMicro()
	}
	switch word {
	case "epoch":
		return 0, true
	case "now":
		return now.UnixMicro(), true
	case "today":
		return midnight(0), true
	case "yesterday":
		return midnight(-1), true
	case "tomorrow":
		return midnight(1), true
	}
	return 0, false
}

func (p *parser) localMicros(us int64) int64 { return types.NewZoneCache(p.zone()).ToLocal(us) }

func (p *parser) dateValue(s string) (any, bool) {
	if us, ok := p.specialInstant(s); ok {
		if us == 0 {
			return int32(0), true
		}
		return int32(types.FloorDiv(p.localMicros(us), microsPerDay)), true
	}
	d, ok := types.ParseDate(s)
	return d, ok
}

func (p *parser) ntzValue(s string) (any, bool) {
	if us, ok := p.specialInstant(s); ok {
		if us == 0 {
			return int64(0), true
		}
		return p.localMicros(us), true
	}
	v, ok := types.ParseTimestampNTZ(s)
	return v, ok
}

func (p *parser) ltzValue(s string) (any, bool) {
	if us, ok := p.specialInstant(s); ok {
		return us, true
	}
	v, ok := types.ParseTimestamp(s, types.NewZoneCache(p.zone()), p.o.Now)
	return v, ok
}
