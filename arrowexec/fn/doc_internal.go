package fn

// Internal names: what the analyzer calls without a user ever writing it. The
// table has an entry for each (Group "internal" keeps them out of SHOW
// FUNCTIONS); the types below are those that arrive, already coerced. The
// result type is always on Call.T, and is the one given here.
//
// Arithmetic. + - * / % div take two arguments of one type and give that type,
// but for:
//
//	+ - * / % div (decimal, decimal)   the scales may differ; Call.T has the result's precision and scale
//	/ (double, double)                 integers arrive cast to double; / never sees integers
//	div (bigint, bigint) bigint        also (decimal, decimal) and (interval, interval of the same family): bigint
//	+ - (interval, interval)           ANSI intervals of one family, fields may differ; calendar intervals
//	* / (interval, number)             interval first, always; number is any numeric type (calendar: double)
//	negative positive abs (number or interval)
//
// Dates and times (ts is TIMESTAMP or TIMESTAMP_NTZ, ym and dt are the ANSI
// intervals of any fields; a subtraction of an interval arrives as the
// addition of its negative):
//
//	date_add(date, int) date, date_sub(date, int) date
//	interval_days(dt) int              whole days of an INTERVAL DAY; date + INTERVAL DAY is date_add(date, interval_days(i))
//	add_months(date, ym) date          beside add_months(date, int)
//	timestamp_add_ym(ts, ym) ts        in the session's time zone for TIMESTAMP
//	timestamp_add_dt(ts, dt) ts        micros are added; a date arrives cast to TIMESTAMP
//	time_add_calendar(ts, interval) ts, time_add_calendar(date, interval) date   (ANSI: fails if the interval has parts below a day)
//	time_add_dt(time, dt) time
//	subtract_dates(date, date)         INTERVAL DAY
//	subtract_timestamps(ts, ts)        INTERVAL DAY TO SECOND; both of one type
//	subtract_times(time, time)         INTERVAL HOUR TO SECOND
//	window_start(ts, length bigint, slide bigint, offset bigint, i int) ts   start of the i-th window (0 is the latest) that ts is
//	                                   in, micros: s = ts - pmod(ts - offset, slide) - i*slide
//
// Comparison: = <=> < <= > >= take two arguments of one type; in(x, a, b, ...)
// all of one type; and or not; isnull isnotnull isnan istrue isfalse; between is
// rewritten to >= and <=. like ilike (string, string[, escape string literal]),
// rlike(string, string), like_all like_any not_like_all not_like_any and their
// ilike_ twins (string, string...). || arrives as concat.
//
// Complex values: get_array_item(array, int), get_map_value(map, key),
// get_array_struct_fields(array<struct>, ordinal int literal), named_struct(name, value, ...), struct never arrives (it is
// named_struct), array(...), map(k, v, ...). Field access of a struct is plan.GetField.
//
// Grouping: grouping and grouping_id are rewritten over the column spark_grouping_id (bigint) by
// shiftright(bigint, int), & and a cast to tinyint.
//
// User-visible errors and checks: assert_true, raise_error(string, map or
// string) of type void.
