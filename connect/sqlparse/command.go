package sqlparse

import (
	"strings"

	"neptune/internal/plan"
	"neptune/internal/sqlpath"
	"neptune/internal/types"
)

// statement parses a query or a command. Which of the two, shows the first
// word, and what stands behind it.
func (p *parser) statement() plan.Node {
	s := p.i
	if !p.enter() {
		return noNode()
	}
	defer p.leave()
	switch p.peek() {
	case kwFrom:
		if p.isMultiInsert() {
			return p.multiInsert(s, nil)
		}
		return p.query()
	case kwSelect, kwValues, tLParen, kwMap, kwReduce:
		return p.query()
	case kwWith:
		return p.withStatement()
	case kwTable:
		return p.query()
	case kwInsert:
		return p.insert(s)
	case kwSet:
		return p.set(s)
	case kwReset:
		return p.reset(s)
	case kwCreate, kwReplace:
		return p.create(s)
	case kwDrop:
		return p.drop(s)
	case kwAlter:
		return p.alter(s)
	case kwShow:
		return p.show(s)
	case kwDesc, kwDescribe:
		return p.describe(s)
	case kwExplain:
		return p.explain(s)
	case kwUse:
		return p.use(s)
	case kwCache, kwUncache, kwClear, kwRefresh:
		return p.cache(s)
	case kwDelete, kwUpdate, kwMerge:
		return p.dml(s)
	case kwBegin:
		if p.script == nil && s == 0 {
			return p.scriptCommand(s)
		}
		p.syntax()
		return noNode()
	case kwMsck, kwRepair:
		return p.repair(s)
	case kwLoad:
		return p.load(s)
	case kwTruncate, kwAnalyze, kwComment, kwDeclare, kwExecute:
		return p.otherCommand(s)
	}
	return p.refused(s)
}

// refused names the statements of Spark's grammar that aren't supported; anything else is a syntax error.
func (p *parser) refused(s int) plan.Node {
	k := p.peek()
	switch k {
	case kwCall:
		return p.callProcedure(s)
	case kwAdd, kwList:
		return p.resources(s)
	case kwOpen, kwFetch, kwClose:
		name := strings.ToUpper(p.text(p.next()))
		if p.peek() != tEOF {
			name += " " + strings.ToUpper(p.text(p.next()))
		}
		p.i = len(p.toks) - 1
		p.notSupported(s, "statement "+name)
		return noNode()
	case kwGrant, kwRevoke:
		if p.la(1) == kwRole {
			return p.hive(s, 2)
		}
		return p.hive(s, 1)
	case kwCommit, kwRollback, kwDfs:
		return p.hive(s, 1)
	case kwExport, kwImport, kwLock, kwUnlock, kwStart:
		want := kwTable
		switch {
		case k == kwStart:
			want = kwTransaction
		case (k == kwLock || k == kwUnlock) && p.la(1) == kwDatabase:
			want = kwDatabase
		}
		if p.la(1) == want {
			return p.hive(s, 2)
		}
		p.next()
	}
	p.syntax()
	return noNode()
}

// resources parses LIST JARS, FILES or ARCHIVES [paths]: "list_resources", Args
// type = jar, file or archive. ADD is refused: nothing here reads such files.
func (p *parser) resources(s int) plan.Node {
	verb := p.next().kind
	if !p.isIdent(p.peek()) {
		p.syntax()
		return noNode()
	}
	word := strings.ToLower(p.ident())
	kind := strings.TrimSuffix(word, "s")
	switch {
	case kind != "jar" && kind != "file" && kind != "archive":
		p.fail(s, "_LEGACY_ERROR_TEMP_0035", "message", keywordText[verb]+" with resource type '"+word+"'")
		return noNode()
	case verb == kwAdd:
		return p.unsupported(s, "ADD "+strings.ToUpper(word))
	}
	c := p.command(s, "list_resources")
	c.Args["type"] = kind
	c.Text = p.rawRest()
	return p.done(c, s)
}

// hive refuses a statement of Hive's as Spark does; its name is the first n words.
func (p *parser) hive(s, n int) plan.Node {
	words := make([]string, n)
	for k := range words {
		words[k] = strings.ToUpper(p.text(p.toks[s+k]))
	}
	p.i = len(p.toks) - 1
	p.fail(s, "INVALID_STATEMENT_OR_CLAUSE", "operation", strings.Join(words, " "))
	return noNode()
}

// callProcedure parses CALL name(arguments): "call"; no catalog has procedures.
func (p *parser) callProcedure(s int) plan.Node {
	p.next()
	c := p.command(s, "call")
	c.Name = p.multipart()
	if p.peek() != tLParen {
		p.syntax()
		return c
	}
	p.i = len(p.toks) - 1
	return p.done(c, s)
}

func (p *parser) unsupported(s int, what string) plan.Node {
	p.i = len(p.toks) - 1
	p.notSupported(s, "statement "+what)
	return noNode()
}

// withStatement: WITH may stand before an INSERT too.
func (p *parser) withStatement() plan.Node {
	s := p.i
	mark := len(p.windows)
	w := p.ctes()
	if w == nil {
		p.next()
		p.syntax()
		return noNode()
	}
	switch p.peek() {
	case kwInsert:
		n := p.insert(p.i)
		if c, ok := n.(*plan.Command); ok && p.err == nil {
			w.Child = c.Query
			w.Common = p.common(s)
			c.Query = w
			c.Common = p.common(s)
		}
		return n
	case kwDelete, kwUpdate, kwMerge:
		return p.dml(p.i)
	case kwFrom:
		if p.isMultiInsert() {
			return p.multiInsert(s, w)
		}
	}
	at := p.i
	w.Child = p.organization(p.term(nil, at, 1), at, mark)
	w.Common = p.common(s)
	return w
}

func (p *parser) command(s int, kind string) *plan.Command {
	return &plan.Command{Kind: kind, Flags: map[string]bool{}, Args: map[string]string{}, Common: p.common(s)}
}

func (p *parser) done(c *plan.Command, s int) plan.Node {
	c.Common = p.common(s)
	return c
}

// target parses the object's name into the command. A name that is not
// constant, IDENTIFIER(expr), goes to Exprs_[0] and Flags["identifier"].
func (p *parser) target(c *plan.Command) {
	parts, e := p.nameRef()
	c.Name = parts
	if e != nil {
		c.Exprs_ = append(c.Exprs_, e)
		c.Flags["identifier"] = true
	}
}

func (p *parser) ifNotExists() bool {
	return p.acceptSeq(kwIf, kwNot, kwExists)
}

func (p *parser) ifExists() bool { return p.acceptSeq(kwIf, kwExists) }

// inner parses a query into the command and keeps its text.
func (p *parser) inner(c *plan.Command) {
	at := p.i
	c.Query = p.query()
	c.Text = p.textFrom(at)
}

func (p *parser) isNamespace(k kind) bool {
	return k == kwDatabase || k == kwSchema || k == kwNamespace
}

// set parses SET. Kinds: "set" with Args key and value ("-v" is Flags
// verbose; SET alone has no key), "set_timezone" (Args zone; Flags local),
// "set_catalog" (Name), "set_variable" (Name or, of SET VAR (a, b) = (query),
// Args names joined by commas; Exprs_ are the values in the order of the
// assignments, Args["name0"] ... their names as written, Query the query).
func (p *parser) set(s int) plan.Node {
	p.next()
	c := p.command(s, "set")
	switch k := p.peek(); {
	case k == kwCatalog && p.la(1) != tEq && p.la(1) != tEOF:
		p.next()
		c.Kind = "set_catalog"
		if p.peek() == tString {
			c.Name = []string{p.stringLit()}
		} else {
			p.target(c)
		}
		return p.done(c, s)
	case k == kwTime && p.la(1) == kwZone:
		return p.setTimeZone(c, s)
	case (k == kwVariable || k == kwVar) && p.la(1) != tEq && p.la(1) != tDot && p.la(1) != tEOF:
		return p.setVariable(c, s)
	case k == kwRole && p.la(1) != tEq && p.la(1) != tDot:
		p.i = len(p.toks) - 1
		p.fail(s, "INVALID_STATEMENT_OR_CLAUSE", "operation", "SET ROLE")
		return c
	case k == kwPath && p.la(1) == tEq:
		if n := p.setPath(c, s); n != nil {
			return n
		}
	}
	text := p.rawRest()
	if text == "" {
		return p.done(c, s)
	}
	if text == "-v" {
		c.Flags["verbose"] = true
		return p.done(c, s)
	}
	key, value, hasValue := strings.Cut(text, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	ok := false
	if key, ok = unquoteKey(key); !ok {
		p.fail(s, "INVALID_SET_SYNTAX")
		return c
	}
	c.Args["key"] = key
	if hasValue {
		if len(value) >= 2 && value[0] == '`' && value[len(value)-1] == '`' {
			value = strings.ReplaceAll(value[1:len(value)-1], "``", "`")
		} else if strings.ContainsRune(value, ';') {
			p.fail(s, "INVALID_SET_SYNTAX")
			return c
		}
		c.Args["value"] = value
		c.Flags["value"] = true
	}
	return p.done(c, s)
}

// setPath parses SET PATH = a.b, DEFAULT_PATH, ... ("set_path": Text is the
// list); nil where that isn't what follows, so that PATH is an ordinary key.
func (p *parser) setPath(c *plan.Command, s int) plan.Node {
	at := p.i
	p.i += 2
	var b strings.Builder
	for p.peek() != tEOF && p.peek() != tSemicolon {
		b.WriteString(p.text(p.next()))
		b.WriteByte(' ')
	}
	if _, ok := sqlpath.Parse(b.String()); !ok {
		p.i = at
		return nil
	}
	c.Kind, c.Text = "set_path", b.String()
	return p.done(c, s)
}

// unquoteKey checks a configuration key: dotted words, or anything in backquotes.
func unquoteKey(k string) (string, bool) {
	if len(k) >= 2 && k[0] == '`' && k[len(k)-1] == '`' {
		return strings.ReplaceAll(k[1:len(k)-1], "``", "`"), true
	}
	if k == "" {
		return k, false
	}
	for i := 0; i < len(k); i++ {
		if class[k[i]]&clsWord == 0 && strings.IndexByte(".:-", k[i]) < 0 {
			return k, false
		}
	}
	return k, true
}

// rawRest takes the rest of the statement as text, without the semicolons at its end.
func (p *parser) rawRest() string {
	from := int(p.toks[p.i].start)
	end := len(p.toks) - 1
	if p.script != nil {
		for end = p.i; p.toks[end].kind != tSemicolon && p.toks[end].kind != tEOF; {
			end++
		}
	}
	for end > p.i && p.toks[end-1].kind == tSemicolon {
		end--
	}
	text := ""
	if end > p.i {
		text = strings.TrimSpace(p.sql[from:p.toks[end-1].end])
	}
	p.i = end
	return text
}

func (p *parser) setTimeZone(c *plan.Command, s int) plan.Node {
	p.i += 2
	c.Kind = "set_timezone"
	switch {
	case p.peek() == tString:
		c.Args["zone"] = p.stringLit()
	case p.peek() == kwLocal:
		p.next()
		c.Flags["local"] = true
	case p.peek() == kwInterval:
		e := p.interval()
		if e == nil {
			e = p.expr()
		}
		l, ok := e.(*plan.Literal)
		if p.err != nil {
			return c
		}
		v, isDay := int64(0), false
		if ok {
			v, isDay = l.Value.(int64)
		}
		if !isDay || v > 18*microsPerHour || v < -18*microsPerHour || v%microsPerSecond != 0 {
			p.fail(s, "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "input", zoneInterval(l, v))
			return c
		}
		c.Args["zone"] = offsetName(v / microsPerSecond)
	default:
		p.rawRest()
		p.fail(s, "_LEGACY_ERROR_TEMP_0045")
	}
	return p.done(c, s)
}

func (p *parser) setVariable(c *plan.Command, s int) plan.Node {
	p.next()
	c.Kind = "set_variable"
	return p.assignments(c, s)
}

// assignments parses name = value, ... and (names) = (query).
func (p *parser) assignments(c *plan.Command, s int) plan.Node {
	if p.accept(tLParen) {
		var names []string
		for {
			names = append(names, quoted(p.multipart()))
			if !p.accept(tComma) {
				break
			}
		}
		p.expect(tRParen)
		for i, n := range names {
			c.Args[numbered("name", i)] = n
		}
		p.expectSeq(tEq, tLParen)
		p.inner(c)
		p.expect(tRParen)
		return p.done(c, s)
	}
	for i := 0; ; i++ {
		name := p.multipart()
		if i == 0 {
			c.Name = name
		}
		c.Args[numbered("name", i)] = quoted(name)
		if p.peek() != tEq {
			p.syntaxHint(": missing EQ")
			return c
		}
		p.next()
		c.Exprs_ = append(c.Exprs_, p.expr())
		if !p.accept(tComma) {
			return p.done(c, s)
		}
	}
}

// reset parses RESET [key]: Args key.
func (p *parser) reset(s int) plan.Node {
	p.next()
	c := p.command(s, "reset")
	text := p.rawRest()
	if text != "" {
		key, ok := unquoteKey(text)
		if !ok {
			p.fail(s, "INVALID_RESET_COMMAND_FORMAT")
			return c
		}
		c.Args["key"] = key
	}
	return p.done(c, s)
}

// use parses USE [DATABASE] name: "use"; Flags namespace when the word was there.
func (p *parser) use(s int) plan.Node {
	p.next()
	c := p.command(s, "use")
	if p.isNamespace(p.peek()) && p.isIdent(p.la(1)) {
		p.next()
		c.Flags["namespace"] = true
	}
	p.target(c)
	return p.done(c, s)
}

// explain parses EXPLAIN [mode] statement: "explain", Mode, Query, Text.
func (p *parser) explain(s int) plan.Node {
	p.next()
	c := p.command(s, "explain")
	switch k := p.peek(); k {
	case kwLogical:
		p.next()
		p.fail(s, "INVALID_STATEMENT_OR_CLAUSE", "operation", "EXPLAIN LOGICAL")
		return c
	case kwFormatted, kwExtended, kwCodegen, kwCost:
		p.next()
		c.Mode = strings.ToLower(keywordText[k])
	}
	at := p.i
	c.Query = p.statement()
	c.Text = p.textFrom(at)
	return p.done(c, s)
}

// cache parses CACHE [LAZY] TABLE t [OPTIONS (...)] [AS query] ("cache", Flags
// lazy, Args the options), UNCACHE TABLE [IF EXISTS] t ("uncache", Flags
// if_exists), CLEAR CACHE ("clear_cache"), REFRESH TABLE t, FUNCTION f or path
// ("refresh", Args type = table, function or path; Args path).
func (p *parser) cache(s int) plan.Node {
	c := p.command(s, "cache")
	switch p.next().kind {
	case kwCache:
		c.Flags["lazy"] = p.accept(kwLazy)
		p.expect(kwTable)
		p.target(c)
		if p.accept(kwOptions) {
			c.Args = p.properties()
		}
		if p.accept(kwAs) || p.startsQuery(0) || p.peek() == tLParen {
			p.inner(c)
		}
	case kwUncache:
		c.Kind = "uncache"
		p.expect(kwTable)
		c.Flags["if_exists"] = p.ifExists()
		p.target(c)
	case kwClear:
		c.Kind = "clear_cache"
		p.expect(kwCache)
	case kwRefresh:
		c.Kind = "refresh"
		switch {
		case p.peek() == kwTable || p.peek() == kwFunction:
			c.Args["type"] = strings.ToLower(keywordText[p.next().kind])
			p.target(c)
		default:
			c.Args["type"] = "path"
			if p.peek() == tString && (p.la(1) == tEOF || p.la(1) == tSemicolon) {
				c.Args["path"] = p.stringLit()
				break
			}
			path := p.rawRest()
			switch {
			case path == "":
				p.fail(s, "INVALID_SQL_SYNTAX.EMPTY_REFRESH_RESOURCE_PATH")
			case strings.ContainsAny(path, " \n\r\t"):
				p.fail(s, "INVALID_SQL_SYNTAX.INVALID_REFRESH_RESOURCE_PATH")
			}
			c.Args["path"] = path
		}
	}
	return p.done(c, s)
}

// otherCommand parses TRUNCATE TABLE ("truncate", partition in Args
// "partition.<column>"), ANALYZE ("analyze_table", Flags noscan, all_columns,
// Args columns; "analyze_tables"), COMMENT ON ("comment", Args type and
// comment, Flags null), DECLARE ("declare_variable", Flags or_replace, Args
// type, Exprs_ the default).
func (p *parser) otherCommand(s int) plan.Node {
	switch p.next().kind {
	case kwTruncate:
		c := p.command(s, "truncate")
		p.expect(kwTable)
		p.target(c)
		p.partition(c, s)
		return p.done(c, s)
	case kwAnalyze:
		return p.analyze(s)
	case kwComment:
		c := p.command(s, "comment")
		p.expect(kwOn)
		switch k := p.peek(); {
		case p.isNamespace(k):
			c.Args["type"] = "database"
		case k == kwTable:
			c.Args["type"] = "table"
		case k == kwColumn:
			c.Args["type"] = "column"
		default:
			p.syntax()
			return c
		}
		p.next()
		p.target(c)
		if p.peek() == kwColumn {
			return p.unsupported(s, "COMMENT ON TABLE ... COLUMN")
		}
		p.expect(kwIs)
		if p.accept(kwNull) {
			c.Flags["null"] = true
		} else {
			c.Args["comment"] = p.stringLit()
		}
		return p.done(c, s)
	case kwExecute:
		return p.executeImmediate(s)
	}
	c := p.command(s, "declare_variable")
	c.Flags["or_replace"] = p.acceptSeq(kwOr, kwReplace)
	if k := p.peek(); (k == kwVariable || k == kwVar) && p.isIdent(p.la(1)) {
		p.next()
	}
	p.target(c)
	if p.peek() == kwCursor || p.peek() == kwInsensitive || p.peek() == kwAsensitive {
		p.fault("UNSUPPORTED_FEATURE.SQL_CURSOR")
		return c
	}
	for i := 1; p.accept(tComma); i++ {
		n, _ := p.nameRef()
		c.Args[numbered("name", i)] = quoted(n)
	}
	if k := p.peek(); k != kwDefault && k != tEq && k != tEOF && k != tSemicolon {
		c.Columns = []types.Field{{Name: "", Type: p.dataType(), Nullable: true}}
	}
	if p.acceptAny(kwDefault, tEq) != tEOF {
		at := p.i
		c.Exprs_ = append(c.Exprs_, p.expr())
		c.Text = p.textFrom(at)
		c.Flags["default"] = true
	}
	return p.done(c, s)
}

// executeImmediate: "execute_immediate": Exprs_[0] is the text, the others the
// arguments (Aliases when named); Args "into0" ... the target variables.
func (p *parser) executeImmediate(s int) plan.Node {
	c := p.command(s, "execute_immediate")
	p.expect(kwImmediate)
	c.Exprs_ = []plan.Expr{p.expr()}
	if p.accept(kwInto) {
		for i := 0; ; i++ {
			c.Args[numbered("into", i)] = quoted(p.multipart())
			if !p.accept(tComma) {
				break
			}
		}
	}
	at := p.i
	if p.accept(kwUsing) {
		paren := p.peek() == tLParen && !p.queryBehindParens()
		if paren {
			p.next()
		}
		args := p.namedExprs()
		if paren {
			p.expect(tRParen)
		}
		seen := map[string]bool{}
		for _, a := range args {
			if al, ok := a.(*plan.Alias); ok {
				if seen[al.Names[0]] {
					p.fail(at, "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "aliases", "`"+al.Names[0]+"`")
				}
				seen[al.Names[0]] = true
			}
		}
		c.Exprs_ = append(c.Exprs_, args...)
	}
	return p.done(c, s)
}

func (p *parser) analyze(s int) plan.Node {
	c := p.command(s, "analyze_table")
	if p.accept(kwTables) {
		c.Kind = "analyze_tables"
		if p.acceptAny(kwFrom, kwIn) != tEOF {
			p.target(c)
		}
	} else {
		p.expect(kwTable)
		p.target(c)
		p.partition(c, s)
	}
	p.expectSeq(kwCompute, kwStatistics)
	switch {
	case p.acceptSeq(kwFor, kwAll, kwColumns):
		c.Flags["all_columns"] = true
	case p.acceptSeq(kwFor, kwColumns):
		c.Args["columns"] = quotedList(p.identSeq())
	case p.isIdent(p.peek()):
		at := p.i
		if w := p.ident(); !strings.EqualFold(w, "noscan") {
			p.fail(s, "INVALID_SQL_SYNTAX.ANALYZE_TABLE_UNEXPECTED_NOSCAN", "ctx", strings.ToUpper(p.textFrom(at)))
		}
		c.Flags["noscan"] = true
	}
	return p.done(c, s)
}

// partition parses PARTITION (a = 1, b): the literals become Exprs_, their columns Args "partition0" ...; a
// column without a value has an UnresolvedAttr in Exprs_.
func (p *parser) partition(c *plan.Command, s int) bool {
	if p.peek() != kwPartition || p.la(1) != tLParen {
		return false
	}
	p.i += 2
	for i := 0; ; i++ {
		at := p.i
		name := p.ident()
		c.Args[numbered("partition", i)] = name
		if p.accept(tEq) {
			if p.accept(kwDefault) {
				p.fail(s, "REF_DEFAULT_VALUE_IS_NOT_ALLOWED_IN_PARTITION")
			}
			c.Exprs_ = append(c.Exprs_, p.unary())
		} else {
			c.Exprs_ = append(c.Exprs_, &plan.UnresolvedAttr{At: p.from(at), Parts: []string{name}})
			c.Flags["dynamic_partition"] = true
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
	c.Flags["partition"] = true
	return true
}
