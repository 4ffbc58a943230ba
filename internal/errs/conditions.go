package errs

var conditions = map[string]Condition{
	"INTERNAL_ERROR": {"XX000", "<message>"},
	"DIVIDE_BY_ZERO": {"22012", "Division by zero. Use `try_divide` to get NULL where the divisor is 0, or set <config> to \"false\" to bypass this error."},
}
