package sidecar

import (
	"slices"
	"testing"
)

// Functions that need more than a row; the answers are Spark's.
func TestFunctions(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 64 << 20})
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"SELECT b, counter_diff(a) OVER (ORDER BY b) FROM VALUES (1, 1), (null, 2), (5, 3), (2, 4), (2, 5) t(a, b)", []string{"1|NULL", "2|NULL", "3|4", "4|NULL", "5|0"}},
		{"SELECT b, counter_diff(a) OVER (ORDER BY b) FROM VALUES (1.5, 1), (null, 2), (5.5, 3), (2, 4), (2, 5) t(a, b)", []string{"1|NULL", "2|NULL", "3|4.0", "4|NULL", "5|0.0"}},
		{"SELECT b, counter_diff(a) OVER (ORDER BY b) FROM VALUES (double('nan'), 1), (100, 2), (double('nan'), 3), (double('inf'), 4) t(a, b)", []string{"1|NULL", "2|NULL", "3|NaN", "4|NULL"}},
		{"SELECT b, counter_diff(a, c) OVER (ORDER BY b) FROM VALUES (1, 1, timestamp'2020-01-01'), (5, 2, timestamp'2020-01-01'), (9, 3, timestamp'2020-01-02'), (19, 4, null), (20, 5, timestamp'2020-01-03') t(a, b, c)",
			[]string{"1|NULL", "2|4", "3|NULL", "4|10", "5|1"}},
		{"SELECT max(d), count(d) FROM (SELECT counter_diff(id * id) OVER (PARTITION BY id % 2 ORDER BY id) AS d FROM range(5000))", []string{"19992|4998"}},
		{"SELECT counter_diff(a) OVER (ORDER BY b) FROM VALUES (1, 1), (-100, 2) t(a, b)", []string{"error COUNTER_DIFF_NEGATIVE_COUNTER_VALUE 22003"}},
		{"SELECT counter_diff(a, c) OVER (ORDER BY b) FROM VALUES (1, 1, timestamp'2020-01-02'), (5, 2, timestamp'2020-01-01') t(a, b, c)", []string{"error COUNTER_DIFF_START_TIME_DECREASED 22023"}},
		{"SELECT array_sort(collect_union(a)) FROM VALUES (array(1,2)), (array(2, null)), (null) t(a)", []string{"[1,2]"}},
		{"SELECT collect_union(a) FROM VALUES (array(array(1), array(1))) t(a)", []string{"[[1]]"}},
		{"SELECT collect_union(a) FROM VALUES (array(1)) t(a) WHERE false", []string{"[]"}},
		{"SELECT id % 3 AS g, array_sort(collect_union(array(id % 5, id % 7))) FROM range(8) GROUP BY g", []string{"0|[0,1,3,6]", "1|[0,1,2,4]", "2|[0,2,5]"}},
		{"SELECT instr('abcabc', 'bc', p, n) FROM VALUES (0, 3, 1), (1, -1, 2), (2, -2, 1), (3, -3, 1), (4, -100, 1), (5, 0, 1), (6, 2, 5), (7, null, 1) t(k, p, n) ORDER BY k", []string{"0", "0", "0", "2", "2", "5", "5", "NULL"}},
		{"SELECT instr('aaaa', 'aa', 1, 3), instr('aaaa', 'aa', -1, 2), instr('abc', '', -9), instr('äbäb', 'b', 3), instr('äbäb', 'b', -1), instr('AbcaBc' COLLATE UTF8_LCASE, 'bc', 3)", []string{"3|2|1|4|4|5"}},
		{"SELECT instr('abcabc', 'bc', 1, 0)", []string{"error INVALID_PARAMETER_VALUE.OCCURRENCE 22023"}},
		{"SELECT hex(left(x'010203', 2)), typeof(left(x'010203', -1)), typeof(left(1234, 2))", []string{"0102|binary|string"}},
		{"SELECT date_format(time'12:30:45.123456', 'hh:mm:ss.SSSSSS a'), date_format(time'00:30:45.1', 'k:m:s.SSS'), date_format(time'12:30:45', 'HH \\'h\\' \\'\\'')", []string{"12:30:45.123456 PM|24:30:45.100|12 h '"}},
		{"SELECT date_format(time'12:30:45', 'yyyy')", []string{"error INVALID_PARAMETER_VALUE.PATTERN 22023"}},
		{"SELECT count(*), count(ICU_VERSION) FROM collations()", []string{"1164|1160"}},
		{"SELECT * FROM collations() WHERE NAME IN ('UTF8_LCASE_RTRIM', 'de_AUT_CI_AI')",
			[]string{"SYSTEM|BUILTIN|UTF8_LCASE_RTRIM|NULL|NULL|ACCENT_SENSITIVE|CASE_INSENSITIVE|RTRIM|NULL", "SYSTEM|BUILTIN|de_AUT_CI_AI|German|Austria|ACCENT_INSENSITIVE|CASE_INSENSITIVE|NO_PAD|78.3.0.0"}},
		{"SELECT count(*), min(keyword), max(keyword), bool_or(reserved) FROM sql_keywords()", []string{"444|ADD|ZONE|false"}},
		{"SELECT variant_insert(parse_json('{\"a\": 1}'), '$.a', id) FROM range(1)", []string{"error VARIANT_DUPLICATE_KEY 22023"}},
		{"SELECT variant_set(parse_json('{\"a\": 1}'), '$.a.b', id) FROM range(1)", []string{"error VARIANT_PATH_TYPE_MISMATCH 22023"}},
		{"SELECT contains('Straße' COLLATE UNICODE_CI, 'SSE'), startswith('aÄb' COLLATE UNICODE_CI_AI, 'Äa'), endswith('aÄbA\u0308' COLLATE UNICODE_CI, 'ä'), instr('aÄbÄ' COLLATE UNICODE_CI, 'ä'), contains('İ' COLLATE UTF8_LCASE, 'i')", []string{"false|true|true|2|false"}},
		{"SELECT split_part('aXbxc' COLLATE UNICODE_CI, 'x', 2), split_part('aXbxc' COLLATE UTF8_LCASE, 'X', -1), substring_index('aaaa' COLLATE UNICODE_CI, 'AA', 2), substring_index('aaaa' COLLATE UTF8_LCASE, 'aa', -2), substring_index('aXbxc' COLLATE UNICODE_CI, 'x', -1), find_in_set('Ä', 'a,ä,b' COLLATE UNICODE_CI_AI)", []string{"b|c|a|a|c|1"}},
		{"SELECT hex(btrim('e\u0301x' COLLATE UNICODE_CI, 'E')), btrim('e\u0301x' COLLATE UNICODE_CI_AI, 'E'), translate('aÄbA\u0308c' COLLATE UNICODE_CI, 'ä', '-'), replace('aaaA' COLLATE UNICODE_CI, 'AA', 'b'), translate('ΑΣ' COLLATE UTF8_LCASE, 'ας', '-')", []string{"65CC8178|x|a-b-c|bb|-"}},
		{"SELECT split('abcABC' COLLATE UTF8_LCASE, 'Bc'), locate('', 'abc', 2), upper('ﬃxß'), lower('ΑΣ'), initcap('x-y' COLLATE UNICODE), initcap('ﬃx x-y')", []string{"[a,A,]|1|FFIXSS|ας|X-Y|Ffix X-y"}},
		{"SELECT regexp_extract('100-200', 'a', 1) = '', regexp_extract_all('a', 'b', 3), CAST(TIME'10:00:00' AS TIMESTAMP) = make_timestamp_ltz(current_date(), TIME'10:00:00')", []string{"true|[]|true"}},
		{"SELECT array_contains(NULL, 2)", []string{"error DATATYPE_MISMATCH.NULL_TYPE 42K09"}},
		{"SELECT array_remove(NULL, 3)", []string{"error DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES 42K09"}},
		{"SELECT map_contains_key(NULL, 1)", []string{"error DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES 42K09"}},
		{"SELECT hash('a', parse_json('1'))", []string{"error DATATYPE_MISMATCH.HASH_VARIANT_TYPE 42K09"}},
		{"SELECT xxhash64(map('a', 1))", []string{"error DATATYPE_MISMATCH.HASH_MAP_TYPE 42K09"}},
		{"SELECT named_struct(2, 1)", []string{"error DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING 42K09"}},
		{"SELECT array_join(array('a'), 5)", []string{"error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE 42K09"}},
		{"SELECT soundex(1.5)", []string{"error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE 42K09"}},
		{"SELECT format_number(1.5, 3S)", []string{"error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE 42K09"}},
		{"SELECT str_to_map('a:1' COLLATE UNICODE_CI)", []string{"error UNSUPPORTED_FEATURE 0A000 [UNSUPPORTED_FEATURE] The feature is not supported: function str_to_map over strings of collation STRING COLLATE UNICODE_CI. SQLSTATE: 0A000"}},
		{"SELECT sentences('e.g. this is well-known, is it? Yes!No. v1.5 costs $5.30 or 10% of 1,000.', NULL)[2], sentences('Dr. Who... what?! 你好。世界 ok')", []string{"[No,v1.5,costs,or,10%,of,1,000]|[[Dr],[Who,what],[你好],[世界,ok]]"}},
		{"SELECT format_string('%s %s %s %s', DATE'2024-02-29', named_struct('a', array('x'), 'b', NULL), map('a', 1, 'b', 2), INTERVAL 1 DAY), format_string('%d %x', TIME'00:00:01', TIMESTAMP_NTZ'2024-03-10 02:30:00')", []string{"19782 [[x],null] keys: [a,b], values: [1,2] 86400000000|1000000000 61345339f1a00"}},
		{"SELECT unix_micros(to_timestamp(12345678901234567890123456789012345678BD))", []string{"9103449237771086848"}},
		{"SELECT try_add('a', 1), try_add(1, 'b' COLLATE UTF8_LCASE), try_divide('x', 2)", []string{"NULL|NULL|NULL"}},
		{"SELECT element_at(array(1, 2), 1L)", []string{"error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE 42K09"}},
		{"SELECT parse_url(1, 'HOST')", []string{"error DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE 42K09"}},
		{"SELECT make_interval(1) = make_interval(1)", []string{"error DATATYPE_MISMATCH.INVALID_ORDERING_TYPE 42K09"}},
		{"SELECT length(parse_json('{\"a\":[1,2]}')), upper(make_interval(1, 2)), to_json(coalesce(parse_json('1'), 'b')), typeof(DATE'2024-02-29' || 'a' COLLATE UTF8_LCASE)", []string{"11|1 YEARS 2 MONTHS|1|string collate UTF8_LCASE"}},
		{"SELECT year('x')", []string{"error CAST_INVALID_INPUT 22018"}},
		{"SELECT variant_set(parse_json('{\"a\": 1}'), '$', id) FROM range(1)", []string{"error INVALID_VARIANT_PATH 22023"}},
		{"SELECT variant_insert(parse_json('[]'), '$[100000000]', id) FROM range(1)", []string{"error VARIANT_SIZE_LIMIT 22023"}},
	} {
		got := r.answer(c.query)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.query, got, c.want)
		}
	}
}
