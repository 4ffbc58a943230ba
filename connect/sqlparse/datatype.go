package sqlparse

import (
	"encoding/json"
	"strconv"
	"strings"

	"neptune/internal/collation"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// integerValue takes a number; a parameter bound to an INT is one too.
func (p *parser) integerValue() int {
	if k := p.peek(); k == tQuestion || k == tColon {
		at := p.i
		if l, ok := p.parameter().(*plan.Literal); ok {
			if n, ok := l.Value.(int32); ok && n >= 0 {
				return int(n)
			}
		}
		p.i = at
	}
	if p.peek() != tInt {
		p.syntax()
		return 0
	}
	t := p.toks[p.i]
	n, err := strconv.ParseInt(p.text(t), 10, 32)
	if err != nil {
		p.syntax()
		return 0
	}
	p.next()
	return int(n)
}

var simpleTypes = map[kind]*types.Type{
	kwBoolean: types.BoolType, kwTinyint: types.Int8Type, kwByte: types.Int8Type, kwSmallint: types.Int16Type, kwShort: types.Int16Type,
	kwInt: types.Int32Type, kwInteger: types.Int32Type, kwBigint: types.Int64Type, kwLong: types.Int64Type,
	kwFloat: types.Float32Type, kwReal: types.Float32Type, kwDouble: types.Float64Type, kwDate: types.DateType,
	kwBinary: types.BinaryType, kwVoid: types.NullType, kwVariant: types.VariantType,
}

// dataType parses a type.
func (p *parser) dataType() *types.Type {
	if !p.enter() {
		return types.NullType
	}
	defer p.leave()
	s := p.i
	k := p.peek()
	if t := simpleTypes[k]; t != nil {
		p.next()
		return t
	}
	switch k {
	case kwArray, kwMap, kwStruct:
		return p.nestedType(k)
	case kwString:
		p.next()
		return p.collated(types.StringType)
	case kwChar, kwCharacter, kwVarchar:
		return p.charType(k)
	case kwDecimal, kwDec, kwNumeric:
		return p.decimalType()
	case kwInterval:
		return p.intervalType()
	case kwTimestamp, kwTimestampLtz, kwTimestampNtz, kwTime:
		return p.timeType(k)
	}
	if !p.isIdent(k) {
		p.syntax()
		return types.NullType
	}
	name := p.ident()
	if p.peek() == tLParen {
		p.next()
		if k == kwGeography || k == kwGeometry {
			kind, srid := types.Geometry, types.AnySRID
			if k == kwGeography {
				kind = types.Geography
			}
			if !p.accept(kwAny) {
				if srid = p.integerValue(); !types.ValidSRID(kind, srid) {
					p.fail(s, "ST_INVALID_SRID_VALUE", "srid", strconv.Itoa(srid))
				}
			}
			p.expect(tRParen)
			return types.NewSpatial(kind, srid)
		}
		args := []string{strconv.Itoa(p.integerValue())}
		for p.accept(tComma) {
			args = append(args, strconv.Itoa(p.integerValue()))
		}
		p.expect(tRParen)
		name += "(" + strings.Join(args, ",") + ")"
	}
	p.fail(s, "UNSUPPORTED_DATATYPE", "typeName", `"`+strings.ToUpper(name)+`"`)
	return types.NullType
}

func (p *parser) nestedType(k kind) *types.Type {
	s := p.i
	p.next()
	if k == kwStruct && p.accept(tNeq) { // STRUCT<>
		return types.EmptyStruct
	}
	if p.peek() != tLt {
		if k == kwArray {
			p.fail(s, "INCOMPLETE_TYPE_DEFINITION.ARRAY", "elementType", "<INT>")
		} else {
			p.fail(s, "INCOMPLETE_TYPE_DEFINITION."+keywordText[k])
		}
		return types.NullType
	}
	p.next()
	switch k {
	case kwArray:
		elem := p.dataType()
		p.closeAngle()
		return types.NewArray(elem, true)
	case kwMap:
		key := p.dataType()
		p.expect(tComma)
		val := p.dataType()
		p.closeAngle()
		return types.NewMap(key, val, true)
	}
	var fields []types.Field
	if !p.atAngle() {
		fields = p.columns(true)
	}
	p.closeAngle()
	return types.NewStruct(fields...)
}

func (p *parser) atAngle() bool {
	k := p.peek()
	return k == tGt || k == tShr || k == tUshr
}

// closeAngle takes one >, also out of a >> or >>>.
func (p *parser) closeAngle() {
	switch p.peek() {
	case tGt:
		p.next()
	case tShr, tUshr:
		t := &p.toks[p.i]
		t.start++
		t.kind--
		if t.kind < tShr {
			t.kind = tGt
		}
	default:
		p.syntax()
	}
}

// columns parses a list of columns: a INT NOT NULL COMMENT 'x', b STRING; with colons between name and type, if allowed.
func (p *parser) columns(colon bool) []types.Field {
	var out []types.Field
	for {
		out = append(out, p.column1(colon))
		if !p.accept(tComma) {
			return out
		}
	}
}

func (p *parser) column1(colon bool) types.Field {
	f := types.Field{Name: p.nameIdent(), Nullable: true}
	if colon {
		p.accept(tColon)
	}
	f.Type = p.dataType()
	if p.acceptSeq(kwNot, kwNull) {
		f.Nullable = false
	}
	if p.peek() == kwComment && p.la(1) == tString {
		p.next()
		f.Metadata = commentMetadata(p.stringLit())
	}
	return f
}

// commentMetadata is the metadata of a column with a comment.
func commentMetadata(comment string) string {
	b, err := json.Marshal(map[string]string{"comment": comment})
	if err != nil { // a map of strings always encodes
		return ""
	}
	return string(b)
}

// collated parses COLLATE name behind a string type.
func (p *parser) collated(t *types.Type) *types.Type {
	if p.peek() != kwCollate {
		return t
	}
	p.next()
	s := p.i
	parts := p.multipart()
	name := strings.ToUpper(parts[len(parts)-1])
	if len(parts) == 3 && (!strings.EqualFold(parts[0], "system") || !strings.EqualFold(parts[1], "builtin")) || len(parts) == 2 || len(parts) > 3 {
		p.fail(s, "COLLATION_INVALID_NAME", "collationName", strings.Join(parts, "."), "proposals", "UTF8_BINARY")
		return t
	}
	k, ok := collation.Lookup(name)
	if !ok {
		p.fail(s, "COLLATION_INVALID_NAME", "collationName", strings.Join(parts, "."), "proposals", collation.Suggest(name))
		return t
	}
	c := *t
	c.Collation = k.Name()
	return &c
}

func (p *parser) charType(k kind) *types.Type {
	s := p.i
	p.next()
	if !p.accept(tLParen) {
		p.fail(s, "DATATYPE_MISSING_SIZE", "type", `"`+strings.ToUpper(p.textFrom(s))+`"`)
		return types.StringType
	}
	t := &types.Type{Kind: types.Char, Length: p.integerValue()}
	if k == kwVarchar {
		t.Kind = types.Varchar
	}
	p.expect(tRParen)
	return p.collated(t)
}

func (p *parser) decimalType() *types.Type {
	s := p.i
	p.next()
	prec, scale := types.DefaultPrecision, types.DefaultScale
	if p.accept(tLParen) {
		prec = p.integerValue()
		scale = 0
		if p.accept(tComma) {
			scale = p.integerValue()
		}
		p.expect(tRParen)
	}
	switch {
	case p.err != nil:
	case scale > prec:
		p.fail(s, "DECIMAL_SCALE_EXCEEDS_PRECISION", "scale", strconv.Itoa(scale), "precision", strconv.Itoa(prec))
	case prec > types.MaxPrecision:
		p.tooPrecise(s, strconv.Itoa(prec))
	}
	return types.NewDecimal(prec, scale)
}

func (p *parser) intervalType() *types.Type {
	s := p.i
	p.next()
	from := p.peek()
	switch from {
	case kwYear, kwMonth, kwDay, kwHour, kwMinute, kwSecond:
	default:
		return types.CalendarType
	}
	p.next()
	a := strings.ToLower(keywordText[from])
	b := a
	if p.peek() == kwTo {
		switch p.la(1) {
		case kwMonth, kwHour, kwMinute, kwSecond:
			b = strings.ToLower(keywordText[p.la(1)])
			p.i += 2
			if t := types.Interval(a, b); t == nil || a == b {
				p.fail(s, "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "input", p.textFrom(s), "from", a, "to", b)
				return types.CalendarType
			}
		default:
			p.next()
			p.syntax()
		}
	}
	if t := types.Interval(a, b); t != nil {
		return t
	}
	return types.CalendarType
}

func (p *parser) timeType(k kind) *types.Type {
	s := p.i
	p.next()
	precision := -1
	if p.accept(tLParen) {
		precision = p.integerValue()
		p.expect(tRParen)
	}
	without, with := false, false
	if k == kwTimestamp || k == kwTime {
		if p.acceptSeq(kwWithout, kwTime, kwZone) {
			without = true
		} else if k == kwTimestamp && p.acceptSeq(kwWith, kwLocal, kwTime, kwZone) {
			with = true
		}
	}
	if k == kwTime {
		if precision < 0 {
			return types.TimeType
		}
		if precision > 9 {
			p.fail(s, "UNSUPPORTED_TIME_PRECISION", "precision", strconv.Itoa(precision))
		}
		return &types.Type{Kind: types.Time, Precision: precision}
	}
	if precision >= 0 && precision != 6 {
		p.notSupported(s, "data type "+strings.ToUpper(p.textFrom(s)))
	}
	if k == kwTimestampNtz || without || k == kwTimestamp && p.o.TimestampNTZ && !with {
		return types.TimestampNTZType
	}
	return types.TimestampType
}
