package datasource

import (
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// rebaseMode says which calendar days before 1582-10-15, and instants before 1900, have in a file.
type rebaseMode uint8

const (
	rebaseCorrected rebaseMode = iota // the proleptic Gregorian calendar, as in memory
	rebaseLegacy                      // the Julian calendar, and zones as Java's old classes have them
	rebaseException                   // such values are errors
)

// rebaseOf reads the mode from a setting.
func rebaseOf(v string) (rebaseMode, error) {
	switch strings.ToUpper(strings.TrimSpace(v)) {
	case "", "CORRECTED":
		return rebaseCorrected, nil
	case "LEGACY":
		return rebaseLegacy, nil
	case "EXCEPTION":
		return rebaseException, nil
	}
	return 0, errs.Refused(errs.NoSuchElement, "No value found for '%s'", v)
}

const (
	firstGregorian = -141427              // 1582-10-15, in days since 1970
	beginOf1900    = -2208988800_000_000  // 1900-01-01 UTC: from then on all zones are known to both sides
	microsPerDay   = 24 * 60 * 60_000_000 //
	julianEpoch    = 2440588              // 1970-01-01 as a Julian day
)

// julianDay is the day that has the same name in the Julian calendar. The ten days that were left out are 1582-10-15.
func julianDay(d int32) int32 {
	if d >= firstGregorian {
		return d
	}
	if d >= firstGregorian-10 {
		return firstGregorian
	}
	y, m, day := gregorian(int64(d))
	return int32(fromJulian(y, m, day))
}

// gregorianDay is the day of that name in the Gregorian calendar, of a day named by the Julian one.
func gregorianDay(d int32) int32 {
	if d >= firstGregorian {
		return d
	}
	y, m, day := julian(int64(d))
	if m == 2 && day == 29 && !leap(y) { // there is no such day: it is the next one
		m, day = 3, 1
	}
	return int32(fromGregorian(y, m, day))
}

func leap(y int64) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

// Years begin with March in what follows, so that the leap day is the last one.

func gregorian(d int64) (y, m, day int64) {
	d += 719468
	era := types.FloorDiv(d, 146097)
	d -= era * 146097
	yoe := (d - d/1460 + d/36524 - d/146096) / 365
	return marchDate(yoe+era*400, d-(365*yoe+yoe/4-yoe/100))
}

func julian(d int64) (y, m, day int64) {
	d += 719470
	era := types.FloorDiv(d, 1461)
	d -= era * 1461
	yoe := (d - d/1460) / 365
	return marchDate(yoe+era*4, d-365*yoe)
}

func marchDate(y, doy int64) (year, m, day int64) {
	k := (5*doy + 2) / 153
	day = doy - (153*k+2)/5 + 1
	if m = k + 3; m > 12 {
		m, y = m-12, y+1
	}
	return y, m, day
}

func marchDay(y, m, day int64) (year, doy int64) {
	if m <= 2 {
		y, m = y-1, m+12
	}
	return y, (153*(m-3)+2)/5 + day - 1
}

func fromGregorian(y, m, day int64) int64 {
	y, doy := marchDay(y, m, day)
	return 365*y + types.FloorDiv(y, 4) - types.FloorDiv(y, 100) + types.FloorDiv(y, 400) + doy - 719468
}

func fromJulian(y, m, day int64) int64 {
	y, doy := marchDay(y, m, day)
	return 365*y + types.FloorDiv(y, 4) + doy - 719470
}

// rebaser moves instants between the calendars. Java's old classes know no local mean time:
// before 1900 they take the offset that the zone has today.
type rebaser struct {
	zone *types.ZoneCache
	raw  int64 // microseconds
}

func newRebaser(zone *time.Location) *rebaser {
	if zone == nil {
		zone = time.UTC
	}
	t := time.Date(2025, 1, 1, 0, 0, 0, 0, zone)
	if t.IsDST() {
		t = t.AddDate(0, 6, 0)
	}
	_, off := t.Zone()
	return &rebaser{types.NewZoneCache(zone), int64(off) * 1_000_000}
}

func (r *rebaser) toJulian(us int64) int64 {
	if us >= beginOf1900 {
		return us
	}
	local := r.zone.ToLocal(us)
	d := types.FloorDiv(local, microsPerDay)
	return int64(julianDay(int32(d)))*microsPerDay + local - d*microsPerDay - r.raw
}

func (r *rebaser) toGregorian(us int64) int64 {
	if us >= beginOf1900 {
		return us
	}
	local := us + r.raw
	d := types.FloorDiv(local, microsPerDay)
	return r.zone.FromLocal(int64(gregorianDay(int32(d)))*microsPerDay + local - d*microsPerDay)
}

// ancientWrite is the error of a value that other calendars name differently.
func ancientWrite(format, key string) error {
	return errs.New(errs.Upgrade, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.WRITE_ANCIENT_DATETIME", "format", format, "config", errs.Quote(key))
}

func ancientRead(format, key, option string) error {
	return errs.New(errs.Upgrade, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.READ_ANCIENT_DATETIME", "format", format, "config", errs.Quote(key), "option", errs.Quote(option))
}
