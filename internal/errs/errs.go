// Package errs is the one registry of errors that users see: Spark's error
// conditions, their SQLSTATEs and parameters, and the query context that says
// where in a statement the error arose.
//
// Conditions, states and parameter names are Spark's contract (its
// error-conditions.json); the sentences are our own.
package errs

import (
	"errors"
	"fmt"
	"strings"
)

// Class is the family of exception that a client raises for an error. The
// connect server maps it to the JVM class names that clients look at.
type Class uint8

// The exception families of PySpark (pyspark.errors.exceptions.connect).
const (
	Internal               Class = iota // SparkException, an INTERNAL_ERROR by default
	Analysis                            // AnalysisException
	Parse                               // ParseException
	Arithmetic                          // SparkArithmeticException
	ArrayIndex                          // SparkArrayIndexOutOfBoundsException
	DateTime                            // SparkDateTimeException
	NumberFormat                        // SparkNumberFormatException
	IllegalArgument                     // SparkIllegalArgumentException
	Unsupported                         // SparkUnsupportedOperationException
	Runtime                             // SparkRuntimeException
	NoSuchElement                       // SparkNoSuchElementException
	Execution                           // SparkException (job failed)
	PythonWorker                        // PythonException
	StreamingQuery                      // StreamingQueryException
	Upgrade                             // SparkUpgradeException
	InvalidPlan                         // InvalidPlanInput, as connect throws for a malformed plan
	InvalidCommand                      // InvalidCommandInput
	Session                             // SparkSQLException: INVALID_HANDLE.*, INVALID_CURSOR.*
	FileNotFound                        // SparkFileNotFoundException
	TempTableExists                     // TempTableAlreadyExistsException
	NoSuchTable                         // NoSuchTableException
	NoSuchDatabase                      // NoSuchDatabaseException, NoSuchNamespaceException
	ConcurrentModification              // SparkConcurrentModificationException
	OutOfMemory                         // SparkOutOfMemoryError
	IO                                  // java.io.IOException, of Hadoop's file systems
)

// Origin is the place in a statement (or in a client's program) that an
// expression or a plan node came from. Offsets count characters (UTF-16 code
// units, as Spark's) from 0 in SQL; Start..Stop includes Stop.
type Origin struct {
	SQL        string // the whole statement, "" when from a DataFrame
	Start      int
	Stop       int
	Line       int // 1-based; of Start
	Col        int // 0-based
	ObjectType string
	ObjectName string
	// Of a DataFrame call: the client's line and the function it called.
	CallSite string
	Fragment string
}

// Text is the part of the statement that o covers.
func (o *Origin) Text() string {
	if o == nil || o.SQL == "" {
		return ""
	}
	r := []rune(o.SQL)
	if o.Start < 0 || o.Stop >= len(r) || o.Start > o.Stop {
		return o.SQL
	}
	return string(r[o.Start : o.Stop+1])
}

// Error is an error in Spark's shape.
type Error struct {
	Class     Class
	Condition string // "DIVIDE_BY_ZERO", "UNRESOLVED_COLUMN.WITH_SUGGESTION"
	State     string // SQLSTATE; "" takes the table's
	Params    map[string]string
	Context   *Origin
	Text      string // the sentence; "" takes the table's template, filled with Params
	Cause     error
}

// New makes an error of that condition. kv is a list of parameter names and
// values in turn; values are used as they are (quote them with ID, SQLType ...
// as Spark does). The SQLSTATE and the sentence come from the table of
// conditions.
func New(c Class, condition string, kv ...string) *Error {
	e := &Error{Class: c, Condition: condition, Params: make(map[string]string, len(kv)/2)}
	for i := 0; i+1 < len(kv); i += 2 {
		e.Params[kv[i]] = kv[i+1]
	}
	return e
}

// At says where the error arose; a context that is there already stays.
// Conditions that Spark raises without a place have none here.
func (e *Error) At(o *Origin) *Error {
	if e.Context == nil && !placeless[e.Condition] {
		e.Context = o
	}
	return e
}

// Because keeps the error that led to this one.
func (e *Error) Because(err error) *Error { e.Cause = err; return e }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Refused is an error without a condition, as Spark has it where an argument of
// a call breaks a requirement.
func Refused(c Class, format string, args ...any) *Error {
	e := New(c, "")
	e.Text = fmt.Sprintf(format, args...)
	return e
}

// Error is the message as Spark prints it: [CONDITION] sentence SQLSTATE: xxxxx;
// conditions that have no name of their own (_LEGACY_) aren't told.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Condition != "" && !strings.HasPrefix(e.Condition, "_LEGACY_") {
		b.WriteString("[" + e.Condition + "] ")
	}
	b.WriteString(e.Sentence())
	if s := e.SQLState(); s != "" {
		b.WriteString(" SQLSTATE: " + s)
	}
	if c := e.Context; c != nil {
		b.WriteString(c.summary(e.Class))
	}
	return b.String()
}

func (o *Origin) summary(c Class) string {
	if o.SQL == "" {
		if o.Fragment == "" {
			return ""
		}
		return fmt.Sprintf("\n== DataFrame ==\n\"%s\" was called from\n%s\n", o.Fragment, o.CallSite)
	}
	if c == Parse {
		return fmt.Sprintf(" (line %d, pos %d)\n\n== SQL ==\n%s\n%s^^^\n", o.Line, o.Col, o.SQL, strings.Repeat("-", o.Col))
	}
	return fmt.Sprintf("\n== SQL (line %d, position %d) ==\n%s\n%s\n", o.Line, o.Col+1, o.SQL, strings.Repeat(" ", o.Col)+strings.Repeat("^", max(1, o.Stop-o.Start+1)))
}

// SQLState returns the five characters of the condition's SQLSTATE.
func (e *Error) SQLState() string {
	if e.State != "" {
		return e.State
	}
	return lookup(e.Condition).State
}

// Sentence is the message without condition and SQLSTATE.
func (e *Error) Sentence() string {
	text := e.sentence()
	if x := e.Params["sqlExpr"]; x != "" && strings.HasPrefix(e.Condition, "DATATYPE_MISMATCH.") { // all of these begin alike
		if short, ok := strings.CutSuffix(text, ", in "+x+"."); ok {
			text = short + "."
		}
		return "Cannot resolve " + x + " due to data type mismatch: " + strings.TrimPrefix(text, x+": ")
	}
	return text
}

func (e *Error) sentence() string {
	if e.Text != "" {
		return e.Text
	}
	text := lookup(e.Condition).Text
	if text == "" {
		var b strings.Builder
		b.WriteString(e.Condition)
		for _, k := range sortedKeys(e.Params) {
			b.WriteString(" " + k + "=" + e.Params[k])
		}
		return b.String()
	}
	for k, v := range e.Params {
		text = strings.ReplaceAll(text, "<"+k+">", v)
	}
	return text
}

// As finds the Error inside err, if there is one.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Internalf is an INTERNAL_ERROR: a defect of ours, not of the user's.
func Internalf(format string, args ...any) *Error {
	return New(Internal, "INTERNAL_ERROR", "message", fmt.Sprintf(format, args...))
}

// NotSupported refuses a thing by name, in the way of Spark's UNSUPPORTED_FEATURE.
// what names it: "relation Transpose", "option mergeSchema of csv".
func NotSupported(what string) *Error {
	e := New(Unsupported, "UNSUPPORTED_FEATURE", "feature", what)
	e.State = "0A000"
	e.Text = "The feature is not supported: " + what + "."
	return e
}

// ID quotes a multi-part identifier for a message: `a`.`b`.
func ID(parts ...string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
	}
	return strings.Join(q, ".")
}

// Text is a string as SQL writes it, as Spark's messages give values.
func Text(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "'"
}

// Quote puts double quotes round a type, an expression or a conf key, as Spark's messages do.
func Quote(s string) string { return `"` + s + `"` }
