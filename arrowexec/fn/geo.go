package fn

import (
	"encoding/binary"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// A GEOMETRY or GEOGRAPHY is kept as its SRID, four bytes little endian, and its well-known binary.

var (
	geoP  = Accept{Name: `("GEOGRAPHY" or "GEOMETRY")`, Test: func(t *types.Type) bool { return t.IsSpatial() }}
	sridP = Accept{Types: []*types.Type{types.Int32Type}}
)

func wkbError(problem string, at int, c *plan.Call) error {
	e := errs.New(errs.IllegalArgument, "WKB_PARSE_ERROR", "parseError", problem, "pos", strconv.Itoa(at))
	if c != nil {
		e.At(c.Pos())
	}
	return e
}

func sridError(srid int, c *plan.Call) *errs.Error {
	e := errs.New(errs.IllegalArgument, "ST_INVALID_SRID_VALUE", "srid", strconv.Itoa(srid))
	if c != nil {
		e.At(c.Pos())
	}
	return e
}

// checkSRID refuses what is no SRID of the kind.
func checkSRID(kind types.Kind, srid int, c *plan.Call) error {
	if !types.ValidSRID(kind, srid) {
		return sridError(srid, c)
	}
	return nil
}

// geoFromWKB appends the value of a well-known binary.
func geoFromWKB(dst, in []byte, kind types.Kind, srid int, c *plan.Call) ([]byte, error) {
	if len(in) == 0 {
		return nil, wkbError("WKB data is empty or null", 0, c)
	}
	w := wkb{in: in, out: binary.LittleEndian.AppendUint32(dst, uint32(int32(srid))), to: binary.LittleEndian, geographic: kind == types.Geography}
	if !w.geometry(0, 0, 0) {
		return nil, wkbError(w.problem, w.at, c)
	}
	return w.out, nil
}

// SpatialFromWKB appends the value of a spatial type t that a client sends as a well-known binary and its SRID.
func SpatialFromWKB(dst, in []byte, t *types.Type, srid int) ([]byte, error) {
	if err := checkSRID(t.Kind, srid, nil); err != nil {
		return nil, err
	}
	if t.SRID != types.AnySRID && t.SRID != srid {
		return nil, errs.New(errs.Runtime, "GEO_ENCODER_SRID_MISMATCH_ERROR", "type", map[bool]string{true: "GEOGRAPHY", false: "GEOMETRY"}[t.Kind == types.Geography], "valueSrid", strconv.Itoa(srid), "typeSrid", strconv.Itoa(t.SRID))
	}
	return geoFromWKB(dst, in, t.Kind, srid, nil)
}

func geoKernel(kind types.Kind, def int) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		srid := def
		if len(a.V) > 1 {
			srid = int(vec.Of[int32](a.V[1])[i])
		}
		if err := checkSRID(kind, srid, a.Call); err != nil {
			return nil, false, err
		}
		out, err := geoFromWKB(dst, a.V[0].Bytes(i), kind, srid, a.Call)
		return out, err == nil, err
	})
}

func asBinary(a *Args) (*vec.Vector, error) {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		var to binary.ByteOrder = binary.LittleEndian
		if len(a.V) > 1 {
			switch s := a.V[1].Str(i); strings.ToUpper(s) {
			case "NDR":
			case "XDR":
				to = binary.BigEndian
			default:
				return nil, false, errs.New(errs.IllegalArgument, "ST_INVALID_ENDIANNESS_VALUE", "endianness", s).At(a.pos())
			}
		}
		w := wkb{in: a.V[0].Bytes(i)[4:], out: dst, to: to}
		if !w.geometry(0, 0, 0) {
			return nil, false, wkbError(w.problem, w.at, a.Call)
		}
		return w.out, true, nil
	})(a)
}

func geoSRID(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	for i := range out {
		if !a.skipped(i) && !a.V[0].IsNull(i) {
			out[i] = int32(binary.LittleEndian.Uint32(a.V[0].Bytes(i)))
		}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

func setSRID(a *Args) (*vec.Vector, error) {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		srid := int(vec.Of[int32](a.V[1])[i])
		if err := checkSRID(a.V[0].Type.Kind, srid, a.Call); err != nil {
			return nil, false, err
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(int32(srid)))
		return append(dst, a.V[0].Bytes(i)[4:]...), true, nil
	})(a)
}

// spatialOf is the type of values of a kind whose SRID argument at is: fixed where it is a constant.
func spatialOf(kind types.Kind, at int) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		k := kind
		if t := c.Args[0].Type(); t.IsSpatial() {
			k = t.Kind
		}
		null := false
		for _, a := range c.Args {
			null = null || a.Nullable()
		}
		srid := 0
		if k == types.Geography {
			srid = types.SRID4326
		}
		if at < len(c.Args) {
			v, ok := constant(c.Args[at])
			x, isInt := v.(int32)
			if !ok || !isInt {
				return types.NewSpatial(k, types.AnySRID), null, nil
			}
			srid = int(x)
			if err := checkSRID(k, srid, c); err != nil {
				return nil, false, err
			}
		}
		return types.NewSpatial(k, srid), null, nil
	}
}

// castSpatial makes geographies of geometries, whose coordinates it checks, and back.
func castSpatial(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := *v
	out.Type = c.to
	if c.from.Kind != types.Geometry || c.to.Kind != types.Geography {
		return &out, nil
	}
	for i := range v.N {
		if v.IsNull(i) {
			continue
		}
		w := wkb{in: v.Bytes(i)[4:], to: binary.LittleEndian, geographic: true}
		if !w.geometry(0, 0, 0) {
			return nil, wkbError(w.problem, w.at, nil)
		}
	}
	return &out, nil
}

func spatialFunctions() []Def {
	point := "X'0101000000000000000000F03F0000000000000040'"
	def := func(name, usage, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: "4.1.0", Group: "st_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o, Examples: []Example{{sql, want}}}
	}
	made := func(kind types.Kind, at, def int, p ...Accept) Overload {
		return Overload{Params: p, RetExpr: spatialOf(kind, at), Eval: geoKernel(kind, def)}
	}
	binary := def("st_asbinary", "Writes a geography or a geometry as well-known binary, little endian ('NDR') or big endian ('XDR').",
		"SELECT hex(st_asbinary(st_geogfromwkb("+point+")))", "0101000000000000000000F03F0000000000000040",
		sig(gives(types.BinaryType), asBinary, geoP), sig(gives(types.BinaryType), asBinary, geoP, stringP))
	binary.Pretty = defaultArg("st_asbinary", 1, "NDR")
	geom := def("st_geomfromwkb", "Reads a geometry from well-known binary; its SRID is 0 if not given.",
		"SELECT st_srid(st_geomfromwkb("+point+", 4326))", "4326", made(types.Geometry, 1, 0, binaryP), made(types.Geometry, 1, 0, binaryP, sridP))
	geom.Pretty = defaultArg("st_geomfromwkb", 1, "0")
	return []Def{
		binary, geom,
		def("st_geogfromwkb", "Reads a geography from well-known binary.", "SELECT st_srid(st_geogfromwkb("+point+"))", "4326", made(types.Geography, 1, types.SRID4326, binaryP)),
		def("st_srid", "Gives the identifier of the spatial reference system of a geography or a geometry.", "SELECT st_srid(st_geomfromwkb("+point+"))", "0",
			sig(gives(types.Int32Type), geoSRID, geoP)),
		def("st_setsrid", "Gives a geography or a geometry another SRID; the coordinates stay.", "SELECT st_srid(st_setsrid(st_geomfromwkb("+point+"), 3857))", "3857",
			Overload{Params: params(geoP, sridP), RetExpr: spatialOf(types.Geometry, 1), Eval: setSRID}),
	}
}
