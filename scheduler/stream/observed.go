package stream

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"strconv"
	"time"

	"neptune/internal/types"
)

// ObservedRow is what df.observe saw of a batch: one row. As JSON it is Spark's Row.jsonValue, an object of the row's columns.
type ObservedRow struct {
	Type   *types.Type // a struct
	Values []any       // in the Go form of literals
	Zone   *time.Location
	// typed is the other form, that of a query's recent progress: Spark writes those with Jackson, which sees a Row's values
	// and its schema.
	typed bool
}

// Recent is p as StreamingQuery.recentProgress tells it, where a listener's event has p itself.
func (p Progress) Recent() Progress {
	p.ObservedMetrics = maps.Clone(p.ObservedMetrics)
	for name, r := range p.ObservedMetrics {
		r.typed = true
		p.ObservedMetrics[name] = r
	}
	return p
}

// MarshalJSON implements json.Marshaler.
func (r ObservedRow) MarshalJSON() ([]byte, error) { return r.appendRow(nil, r.Type, r.Values) }

func (r ObservedRow) appendRow(b []byte, t *types.Type, vals []any) ([]byte, error) {
	var err error
	if r.typed {
		b = append(b, `{"values":[`...)
	} else {
		b = append(b, '{')
	}
	for i, f := range t.Fields {
		if i > 0 {
			b = append(b, ',')
		}
		if !r.typed {
			b = append(appendString(b, f.Name), ':')
		}
		if b, err = r.appendValue(b, f.Type, vals[i]); err != nil {
			return nil, err
		}
	}
	if r.typed {
		b = append(append(b, `],"schema":`...), t.JSON()...)
	}
	return append(b, '}'), nil
}

func (r ObservedRow) appendValue(b []byte, t *types.Type, v any) ([]byte, error) {
	quoted := func(text []byte) ([]byte, error) { return appendString(b, string(text)), nil }
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case float32:
		return appendFloat(b, float64(x), types.AppendFloat(nil, x)), nil
	case float64:
		return appendFloat(b, x, types.AppendDouble(nil, x)), nil
	case types.Dec:
		return types.AppendDecimal(b, types.Int128(x), t.Scale), nil
	case string:
		return appendString(b, x), nil
	case []byte:
		return appendString(b, base64.StdEncoding.EncodeToString(x)), nil
	case types.CalendarValue:
		return quoted(types.AppendCalendar(nil, x))
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = r.appendValue(b, t.Elem, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case types.StructValue:
		return r.appendRow(b, t, x)
	case types.MapValue:
		return r.appendMap(b, t, x)
	case int32:
		switch t.Kind {
		case types.Date:
			return quoted(types.AppendDate(nil, x))
		case types.YearMonthInterval:
			return quoted(types.AppendYearMonth(nil, x, t))
		}
	case int64:
		switch t.Kind {
		case types.Timestamp:
			return quoted(types.AppendTimestamp(nil, x, r.Zone))
		case types.TimestampNTZ:
			return quoted(types.AppendTimestampNTZ(nil, x))
		case types.Time:
			return quoted(types.AppendTime(nil, x))
		case types.DayTimeInterval:
			return quoted(types.AppendDayTime(nil, x, t))
		}
	}
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}

// appendMap writes a map: an object where its keys are strings, or where keys of other types may be written as strings.
func (r ObservedRow) appendMap(b []byte, t *types.Type, m types.MapValue) ([]byte, error) {
	object := t.Key.IsString() || r.typed
	open, end := byte('['), byte(']')
	if object {
		open, end = '{', '}'
	}
	b = append(b, open)
	var err error
	for i, k := range m.Keys {
		if i > 0 {
			b = append(b, ',')
		}
		if !object {
			b = append(b, `{"key":`...)
		}
		key, err2 := r.appendValue(nil, t.Key, k)
		if err2 != nil {
			return nil, err2
		}
		if object && key[0] != '"' {
			key = strconv.AppendQuote(nil, string(key))
		}
		b = append(b, key...)
		if object {
			b = append(b, ':')
		} else {
			b = append(b, `,"value":`...)
		}
		if b, err = r.appendValue(b, t.Elem, m.Values[i]); err != nil {
			return nil, err
		}
		if !object {
			b = append(b, '}')
		}
	}
	return append(b, end), nil
}

// appendFloat writes a number, which JSON has no NaN and no infinities for.
func appendFloat(b []byte, x float64, text []byte) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return appendString(b, string(text))
	}
	return append(b, text...)
}

func appendString(b []byte, s string) []byte {
	raw, _ := json.Marshal(s) // a string always encodes
	return append(b, raw...)
}
