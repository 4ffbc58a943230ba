package types

// legacyDate are the date's fields as SimpleDateFormat found them. Java's
// GregorianCalendar, which makes a date of them, lets those that came last win
// and, not being lenient, refuses the date if another field says otherwise.
// Weeks begin on Sunday, and January 1 is in the first.
type legacyDate struct {
	value [legacyFields]int64
	stamp [legacyFields]int // when it was found, from 1; 0: not
	next  int
}

const (
	legacyYear = iota
	legacyWeekYear
	legacyMonth
	legacyDay
	legacyYearDay
	legacyWeek
	legacyMonthWeek
	legacyNth // of a day of the week in the month
	legacyWeekday
	legacyFields
)

func (l *legacyDate) set(field int, v int64) {
	l.next++
	l.value[field], l.stamp[field] = v, l.next
}

func sundayDay(day int64) int64 { return FloorMod(day+4, 7) }

// onOrBefore is the last day up to day that is a day of the week, Sunday being 0.
func onOrBefore(day, dow int64) int64 { return day - FloorMod(sundayDay(day)-dow, 7) }

func monthWeek(day int64, d int) int64 {
	first := day - int64(d) + 1
	return (day-first+sundayDay(first))/7 + 1
}

// resolve is the day that the fields mean.
func (l *legacyDate) resolve(bc bool) (int64, bool) {
	year := int64(1970)
	if l.stamp[legacyYear] > 0 {
		year = l.value[legacyYear]
	}
	weekYear := l.value[legacyWeekYear]
	if bc {
		year, weekYear = 1-year, 1-weekYear
	}
	dow := int64(0)
	hasDow := l.stamp[legacyWeekday] > 0
	if hasDow {
		if dow = l.value[legacyWeekday] % 7; l.value[legacyWeekday] < 1 || l.value[legacyWeekday] > 7 {
			return 0, false
		}
	}
	const most = 300_000_000 // no sum below overflows
	for _, v := range &l.value {
		if v > most || v < -most {
			return 0, false
		}
	}
	if l.stamp[legacyWeekYear] > l.stamp[legacyYear] {
		week := int64(1)
		if l.stamp[legacyWeek] > 0 {
			week = l.value[legacyWeek]
		}
		day := onOrBefore(DaysFromCivil(weekYear, 1, 1), 0) + dow + 7*(week-1)
		y, _, _ := CivilFromDays(day)
		of := y
		if weekOfYear(day, y) == 1 && day >= DaysFromCivil(y, 12, 1) {
			of++
		}
		// The year, month, day and week are taken from the date found.
		l.stamp[legacyYear], l.stamp[legacyMonth], l.stamp[legacyDay], l.stamp[legacyWeek] = 0, 0, 0, 0
		return day, of == weekYear && l.agrees(day, year)
	}
	month := int64(1)
	if l.stamp[legacyMonth] > 0 {
		if month = l.value[legacyMonth]; month < 1 || month > 12 {
			return 0, false
		}
	}
	with := func(field int) int {
		if !hasDow || l.stamp[field] == 0 {
			return 0
		}
		return max(l.stamp[field], l.stamp[legacyWeekday])
	}
	dom, inMonth, nth, yearDay, week := l.stamp[legacyDay], with(legacyMonthWeek), with(legacyNth), l.stamp[legacyYearDay], with(legacyWeek)
	best := max(dom, inMonth, nth, yearDay, week)
	if best == 0 {
		inMonth, nth, week = l.stamp[legacyMonthWeek], max(l.stamp[legacyNth], l.stamp[legacyWeekday]), l.stamp[legacyWeek]
		if best = max(inMonth, nth, week); best == 0 {
			dom = l.stamp[legacyMonth]
			best = dom
		}
	}
	first := DaysFromCivil(year, int(month), 1)
	january := DaysFromCivil(year, 1, 1)
	weekOf := l.stamp[legacyWeek]
	var day int64
	switch {
	case best == dom:
		day = first
		if l.stamp[legacyDay] > 0 {
			day += l.value[legacyDay] - 1
		}
	case best == inMonth && l.stamp[legacyMonthWeek] >= weekOf && (inMonth != nth || l.stamp[legacyMonthWeek] >= l.stamp[legacyNth]):
		day = onOrBefore(first, 0) + dow + 7*(l.value[legacyMonthWeek]-1)
	case best == nth && l.stamp[legacyNth] >= weekOf:
		n := int64(1)
		if l.stamp[legacyNth] > 0 {
			n = l.value[legacyNth]
		}
		day = onOrBefore(first+7*n-1, dow)
	case best == yearDay:
		day = january + l.value[legacyYearDay] - 1
	default:
		day = onOrBefore(january, 0) + dow + 7*(l.value[legacyWeek]-1)
	}
	return day, l.agrees(day, year)
}

// agrees reports whether all fields found are those of a day.
func (l *legacyDate) agrees(day, year int64) bool {
	y, m, d := CivilFromDays(day)
	is := [legacyFields]int64{legacyYear: l.value[legacyYear], legacyWeekYear: l.value[legacyWeekYear], legacyMonth: int64(m), legacyDay: int64(d),
		legacyYearDay: day - DaysFromCivil(y, 1, 1) + 1, legacyWeek: weekOfYear(day, y), legacyMonthWeek: monthWeek(day, d), legacyNth: int64((d-1)/7 + 1), legacyWeekday: FloorMod(day+3, 7) + 1}
	if l.stamp[legacyYear] > 0 && y != year {
		return false
	}
	for i, v := range is {
		if l.stamp[i] > 0 && v != l.value[i] {
			return false
		}
	}
	return true
}
