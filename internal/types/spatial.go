package types

import "strconv"

// AnySRID is the SRID of types whose values may have any.
const AnySRID = -1

// SRID4326 is WGS 84 in degrees, the only spatial reference system of geographies here.
const SRID4326 = 4326

// crs are the names of the spatial reference systems known, as schemas in JSON have them.
var crs = map[int]string{0: "SRID:0", 3857: "EPSG:3857", SRID4326: "OGC:CRS84", AnySRID: "SRID:ANY"}

// NewSpatial returns GEOMETRY(srid) or GEOGRAPHY(srid).
func NewSpatial(k Kind, srid int) *Type { return &Type{Kind: k, SRID: srid} }

// ValidSRID reports whether values of a kind may have that SRID.
func ValidSRID(k Kind, srid int) bool {
	if k == Geography {
		return srid == SRID4326
	}
	return srid == 0 || srid == 3857 || srid == SRID4326
}

// IsSpatial reports whether t is a GEOMETRY or a GEOGRAPHY.
func (t *Type) IsSpatial() bool { return t.Kind == Geometry || t.Kind == Geography }

func (t *Type) spatialName() string {
	if t.SRID == AnySRID {
		return simpleNames[t.Kind] + "(any)"
	}
	return simpleNames[t.Kind] + "(" + strconv.Itoa(t.SRID) + ")"
}

// spatialJSON is the type's name in JSON schemas.
func (t *Type) spatialJSON() string {
	if t.Kind == Geography {
		return "geography(" + crs[t.SRID] + ", SPHERICAL)"
	}
	return "geometry(" + crs[t.SRID] + ")"
}

// parseSpatial reads what spatialJSON writes; nil for other names.
func parseSpatial(s string) *Type {
	for srid := range crs {
		for _, k := range [...]Kind{Geometry, Geography} {
			if t := NewSpatial(k, srid); t.spatialJSON() == s {
				return t
			}
		}
	}
	return nil
}

// CastsSpatial reports whether values of a, a spatial type, become b: into the same kind of any SRID, and between
// geometries and geographies of one SRID in degrees.
func CastsSpatial(a, b *Type) bool {
	switch {
	case !b.IsSpatial():
		return false
	case a.Kind == b.Kind:
		return a.SRID == b.SRID || b.SRID == AnySRID
	}
	return a.SRID == b.SRID && a.SRID == SRID4326
}
