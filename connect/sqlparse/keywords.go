package sqlparse

// The keywords of Spark SQL 4.3, from its list of keywords. What may follow a
// keyword, and so whether it is an identifier in some place, is the parser's affair.

// Keyword tokens.
const (
	kwFirstKeyword kind = iota + firstKeyword
	kwAdd
	kwAfter
	kwAggregate
	kwAlign
	kwAll
	kwAlter
	kwAlways
	kwAnalyze
	kwAnd
	kwAnti
	kwAny
	kwAnyValue
	kwApply
	kwApprox
	kwArchive
	kwArray
	kwAs
	kwAsof
	kwAsc
	kwAsensitive
	kwAt
	kwAtomic
	kwAuthorization
	kwAuto
	kwBegin
	kwBernoulli
	kwBetween
	kwBigint
	kwBin
	kwBinDistributeRatio
	kwBinEnd
	kwBinStart
	kwBinary
	kwBinding
	kwBoolean
	kwBoth
	kwBucket
	kwBuckets
	kwBy
	kwByte
	kwCache
	kwCall
	kwCalled
	kwCascade
	kwCase
	kwCast
	kwCatalog
	kwCatalogs
	kwCdc
	kwChange
	kwChanges
	kwChar
	kwCharacter
	kwCheck
	kwClear
	kwClose
	kwCluster
	kwClustered
	kwCodegen
	kwCollate
	kwCollation
	kwCollations
	kwCollection
	kwColumn
	kwColumns
	kwComment
	kwCommit
	kwCompact
	kwCompactions
	kwCompensation
	kwCompute
	kwConcatenate
	kwCondition
	kwConstraint
	kwContains
	kwContinue
	kwCost
	kwCreate
	kwCross
	kwCube
	kwCurrent
	kwCurrentDatabase
	kwCurrentDate
	kwCurrentPath
	kwCurrentSchema
	kwCurrentTime
	kwCurrentTimestamp
	kwCurrentUser
	kwCursor
	kwDay
	kwDays
	kwDayofyear
	kwData
	kwDate
	kwDatabase
	kwDatabases
	kwDateadd
	kwDateAdd
	kwDatediff
	kwDateDiff
	kwDbproperties
	kwDec
	kwDecimal
	kwDeclare
	kwDefault
	kwDefaultPath
	kwDefined
	kwDefiner
	kwDelay
	kwDelete
	kwDelimited
	kwDesc
	kwDescribe
	kwDeterministic
	kwDfs
	kwDirectories
	kwDirectory
	kwDistance
	kwDistinct
	kwDistribute
	kwDiv
	kwDo
	kwDouble
	kwDrop
	kwElse
	kwElseif
	kwEnd
	kwEnforced
	kwError
	kwEscape
	kwEscaped
	kwEvolution
	kwExact
	kwExcept
	kwExchange
	kwExclude
	kwExclusive
	kwExists
	kwExit
	kwExplain
	kwExport
	kwExtend
	kwExtended
	kwExternal
	kwExtract
	kwFalse
	kwFetch
	kwFields
	kwFilter
	kwFileformat
	kwFirst
	kwFloat
	kwFlow
	kwFollowing
	kwFor
	kwForeign
	kwFormat
	kwFormatted
	kwFound
	kwFrom
	kwFull
	kwFunction
	kwFunctions
	kwGenerated
	kwGeography
	kwGeometry
	kwGlobal
	kwGrant
	kwGroup
	kwGrouping
	kwHandler
	kwHaving
	kwX
	kwHistory
	kwHour
	kwHours
	kwIdentifier
	kwIdentified
	kwIdentity
	kwIf
	kwIgnore
	kwImmediate
	kwImport
	kwIn
	kwInclude
	kwInclusive
	kwIncrement
	kwIndex
	kwIndexes
	kwInner
	kwInpath
	kwInput
	kwInputformat
	kwInsert
	kwInsensitive
	kwIntersect
	kwInterval
	kwInt
	kwInteger
	kwInto
	kwInvoker
	kwIs
	kwItems
	kwIterate
	kwJoin
	kwJson
	kwJsonTable
	kwKey
	kwKeys
	kwLanguage
	kwLast
	kwLateral
	kwLazy
	kwLeading
	kwLeave
	kwLeft
	kwLevel
	kwLike
	kwIlike
	kwLimit
	kwLines
	kwList
	kwLoad
	kwLocal
	kwLocaltime
	kwLocation
	kwLock
	kwLocks
	kwLogical
	kwLong
	kwLoop
	kwMacro
	kwMap
	kwMatched
	kwMatchCondition
	kwMaterialized
	kwMax
	kwMeasure
	kwMerge
	kwMetrics
	kwMicrosecond
	kwMicroseconds
	kwMillisecond
	kwMilliseconds
	kwMinute
	kwMinutes
	kwModifies
	kwMonth
	kwMonths
	kwMsck
	kwName
	kwNamespace
	kwNamespaces
	kwNanosecond
	kwNanoseconds
	kwNatural
	kwNearest
	kwNext
	kwNo
	kwNone
	kwNot
	kwNull
	kwNulls
	kwNumeric
	kwNorely
	kwOf
	kwOffset
	kwOn
	kwOnly
	kwOpen
	kwOption
	kwOptions
	kwOr
	kwOrder
	kwOrdinality
	kwOut
	kwOuter
	kwOutputformat
	kwOver
	kwOverlaps
	kwOverlay
	kwOverwrite
	kwPartition
	kwPartitioned
	kwPartitions
	kwPath
	kwPercent
	kwPivot
	kwPlacing
	kwPosition
	kwPreceding
	kwPrimary
	kwPrincipals
	kwProcedure
	kwProcedures
	kwProperties
	kwPurge
	kwQualify
	kwQuarter
	kwQuery
	kwRange
	kwRead
	kwReads
	kwReal
	kwRecordreader
	kwRecordwriter
	kwRecover
	kwRecursion
	kwRecursive
	kwReduce
	kwReferences
	kwRefresh
	kwRely
	kwRename
	kwRepair
	kwRepeat
	kwRepeatable
	kwReplace
	kwReset
	kwRespect
	kwRestrict
	kwReturn
	kwReturns
	kwRevoke
	kwRight
	kwRlike
	kwRole
	kwRoles
	kwRollback
	kwRollup
	kwRow
	kwRows
	kwSecond
	kwSeconds
	kwScd
	kwSchema
	kwSchemas
	kwSecurity
	kwSelect
	kwSemi
	kwSeparated
	kwSequence
	kwSerde
	kwSerdeproperties
	kwSessionUser
	kwSet
	kwMinus
	kwSets
	kwShort
	kwShow
	kwSimilarity
	kwSingle
	kwSkewed
	kwSmallint
	kwSome
	kwSort
	kwSorted
	kwSource
	kwSpecific
	kwSql
	kwSqlexception
	kwSqlstate
	kwStart
	kwStatistics
	kwStored
	kwStratify
	kwStream
	kwStreaming
	kwString
	kwStruct
	kwSubstr
	kwSubstring
	kwSync
	kwSystem
	kwSystemTime
	kwSystemVersion
	kwSystemPath
	kwTable
	kwTables
	kwTablesample
	kwTarget
	kwTblproperties
	kwTemporary
	kwTerminated
	kwThen
	kwTime
	kwTimediff
	kwTimestamp
	kwTimestampLtz
	kwTimestampNtz
	kwTimestampadd
	kwTimestampdiff
	kwTinyint
	kwTo
	kwExecute
	kwTouch
	kwTrack
	kwTrailing
	kwTransaction
	kwTransactions
	kwTransform
	kwTrim
	kwTrue
	kwTruncate
	kwTryCast
	kwType
	kwUnarchive
	kwUnbounded
	kwUncache
	kwUniform
	kwUnion
	kwUnique
	kwUnknown
	kwUnlock
	kwUnnest
	kwUnpivot
	kwUnset
	kwUntil
	kwUpdate
	kwUse
	kwUser
	kwUsing
	kwValue
	kwValues
	kwVarchar
	kwVar
	kwVariable
	kwVariant
	kwVersion
	kwView
	kwViews
	kwVoid
	kwWatermark
	kwWeek
	kwWeeks
	kwWhen
	kwWhere
	kwWhile
	kwWidth
	kwWindow
	kwWith
	kwWithin
	kwWithout
	kwYear
	kwYears
	kwZone
	kwLastKeyword
)

// Properties of keywords.
const (
	strictWord   uint8 = 1 << iota // no table alias, even outside of the ANSI mode of keywords
	ansiReserved                   // no identifier when spark.sql.ansi.enforceReservedKeywords is on
)

var keywordTable = [...]struct {
	text  string
	kind  kind
	flags uint8
}{
	{"ADD", kwAdd, 0},
	{"AFTER", kwAfter, 0},
	{"AGGREGATE", kwAggregate, 0},
	{"ALIGN", kwAlign, 0},
	{"ALL", kwAll, ansiReserved},
	{"ALTER", kwAlter, 0},
	{"ALWAYS", kwAlways, 0},
	{"ANALYZE", kwAnalyze, 0},
	{"AND", kwAnd, ansiReserved},
	{"ANTI", kwAnti, strictWord},
	{"ANY", kwAny, ansiReserved},
	{"ANY_VALUE", kwAnyValue, 0},
	{"APPLY", kwApply, 0},
	{"APPROX", kwApprox, 0},
	{"ARCHIVE", kwArchive, 0},
	{"ARRAY", kwArray, 0},
	{"AS", kwAs, ansiReserved},
	{"ASC", kwAsc, 0},
	{"ASENSITIVE", kwAsensitive, 0},
	{"ASOF", kwAsof, 0},
	{"AT", kwAt, 0},
	{"ATOMIC", kwAtomic, 0},
	{"AUTHORIZATION", kwAuthorization, ansiReserved},
	{"AUTO", kwAuto, 0},
	{"BEGIN", kwBegin, 0},
	{"BERNOULLI", kwBernoulli, 0},
	{"BETWEEN", kwBetween, 0},
	{"BIGINT", kwBigint, 0},
	{"BIN", kwBin, 0},
	{"BINARY", kwBinary, 0},
	{"BINDING", kwBinding, 0},
	{"BIN_DISTRIBUTE_RATIO", kwBinDistributeRatio, 0},
	{"BIN_END", kwBinEnd, 0},
	{"BIN_START", kwBinStart, 0},
	{"BOOLEAN", kwBoolean, 0},
	{"BOTH", kwBoth, ansiReserved},
	{"BUCKET", kwBucket, 0},
	{"BUCKETS", kwBuckets, 0},
	{"BY", kwBy, 0},
	{"BYTE", kwByte, 0},
	{"CACHE", kwCache, 0},
	{"CALL", kwCall, ansiReserved},
	{"CALLED", kwCalled, 0},
	{"CASCADE", kwCascade, 0},
	{"CASE", kwCase, ansiReserved},
	{"CAST", kwCast, ansiReserved},
	{"CATALOG", kwCatalog, 0},
	{"CATALOGS", kwCatalogs, 0},
	{"CDC", kwCdc, 0},
	{"CHANGE", kwChange, 0},
	{"CHANGES", kwChanges, 0},
	{"CHAR", kwChar, 0},
	{"CHARACTER", kwCharacter, 0},
	{"CHECK", kwCheck, ansiReserved},
	{"CLEAR", kwClear, 0},
	{"CLOSE", kwClose, 0},
	{"CLUSTER", kwCluster, 0},
	{"CLUSTERED", kwClustered, 0},
	{"CODEGEN", kwCodegen, 0},
	{"COLLATE", kwCollate, ansiReserved},
	{"COLLATION", kwCollation, ansiReserved},
	{"COLLATIONS", kwCollations, ansiReserved},
	{"COLLECTION", kwCollection, 0},
	{"COLUMN", kwColumn, ansiReserved},
	{"COLUMNS", kwColumns, 0},
	{"COMMENT", kwComment, 0},
	{"COMMIT", kwCommit, 0},
	{"COMPACT", kwCompact, 0},
	{"COMPACTIONS", kwCompactions, 0},
	{"COMPENSATION", kwCompensation, 0},
	{"COMPUTE", kwCompute, 0},
	{"CONCATENATE", kwConcatenate, 0},
	{"CONDITION", kwCondition, 0},
	{"CONSTRAINT", kwConstraint, ansiReserved},
	{"CONTAINS", kwContains, 0},
	{"CONTINUE", kwContinue, 0},
	{"COST", kwCost, 0},
	{"CREATE", kwCreate, ansiReserved},
	{"CROSS", kwCross, strictWord | ansiReserved},
	{"CUBE", kwCube, 0},
	{"CURRENT", kwCurrent, 0},
	{"CURRENT_DATABASE", kwCurrentDatabase, 0},
	{"CURRENT_DATE", kwCurrentDate, ansiReserved},
	{"CURRENT_PATH", kwCurrentPath, ansiReserved},
	{"CURRENT_SCHEMA", kwCurrentSchema, ansiReserved},
	{"CURRENT_TIME", kwCurrentTime, ansiReserved},
	{"CURRENT_TIMESTAMP", kwCurrentTimestamp, ansiReserved},
	{"CURRENT_USER", kwCurrentUser, ansiReserved},
	{"CURSOR", kwCursor, 0},
	{"DATA", kwData, 0},
	{"DATABASE", kwDatabase, 0},
	{"DATABASES", kwDatabases, 0},
	{"DATE", kwDate, 0},
	{"DATEADD", kwDateadd, 0},
	{"DATEDIFF", kwDatediff, 0},
	{"DATE_ADD", kwDateAdd, 0},
	{"DATE_DIFF", kwDateDiff, 0},
	{"DAY", kwDay, 0},
	{"DAYOFYEAR", kwDayofyear, 0},
	{"DAYS", kwDays, 0},
	{"DBPROPERTIES", kwDbproperties, 0},
	{"DEC", kwDec, 0},
	{"DECIMAL", kwDecimal, 0},
	{"DECLARE", kwDeclare, 0},
	{"DEFAULT", kwDefault, 0},
	{"DEFAULT_PATH", kwDefaultPath, 0},
	{"DEFINED", kwDefined, 0},
	{"DEFINER", kwDefiner, 0},
	{"DELAY", kwDelay, 0},
	{"DELETE", kwDelete, 0},
	{"DELIMITED", kwDelimited, 0},
	{"DESC", kwDesc, 0},
	{"DESCRIBE", kwDescribe, 0},
	{"DETERMINISTIC", kwDeterministic, 0},
	{"DFS", kwDfs, 0},
	{"DIRECTORIES", kwDirectories, 0},
	{"DIRECTORY", kwDirectory, 0},
	{"DISTANCE", kwDistance, 0},
	{"DISTINCT", kwDistinct, ansiReserved},
	{"DISTRIBUTE", kwDistribute, 0},
	{"DIV", kwDiv, 0},
	{"DO", kwDo, 0},
	{"DOUBLE", kwDouble, 0},
	{"DROP", kwDrop, 0},
	{"ELSE", kwElse, ansiReserved},
	{"ELSEIF", kwElseif, 0},
	{"END", kwEnd, ansiReserved},
	{"ENFORCED", kwEnforced, 0},
	{"ERROR", kwError, 0},
	{"ESCAPE", kwEscape, ansiReserved},
	{"ESCAPED", kwEscaped, 0},
	{"EVOLUTION", kwEvolution, 0},
	{"EXACT", kwExact, 0},
	{"EXCEPT", kwExcept, strictWord | ansiReserved},
	{"EXCHANGE", kwExchange, 0},
	{"EXCLUDE", kwExclude, 0},
	{"EXCLUSIVE", kwExclusive, 0},
	{"EXECUTE", kwExecute, ansiReserved},
	{"EXISTS", kwExists, 0},
	{"EXIT", kwExit, 0},
	{"EXPLAIN", kwExplain, 0},
	{"EXPORT", kwExport, 0},
	{"EXTEND", kwExtend, 0},
	{"EXTENDED", kwExtended, 0},
	{"EXTERNAL", kwExternal, 0},
	{"EXTRACT", kwExtract, 0},
	{"FALSE", kwFalse, ansiReserved},
	{"FETCH", kwFetch, ansiReserved},
	{"FIELDS", kwFields, 0},
	{"FILEFORMAT", kwFileformat, 0},
	{"FILTER", kwFilter, ansiReserved},
	{"FIRST", kwFirst, 0},
	{"FLOAT", kwFloat, 0},
	{"FLOW", kwFlow, 0},
	{"FOLLOWING", kwFollowing, 0},
	{"FOR", kwFor, ansiReserved},
	{"FOREIGN", kwForeign, ansiReserved},
	{"FORMAT", kwFormat, 0},
	{"FORMATTED", kwFormatted, 0},
	{"FOUND", kwFound, 0},
	{"FROM", kwFrom, ansiReserved},
	{"FULL", kwFull, strictWord | ansiReserved},
	{"FUNCTION", kwFunction, 0},
	{"FUNCTIONS", kwFunctions, 0},
	{"GENERATED", kwGenerated, 0},
	{"GEOGRAPHY", kwGeography, 0},
	{"GEOMETRY", kwGeometry, 0},
	{"GLOBAL", kwGlobal, 0},
	{"GRANT", kwGrant, ansiReserved},
	{"GROUP", kwGroup, ansiReserved},
	{"GROUPING", kwGrouping, 0},
	{"HANDLER", kwHandler, 0},
	{"HAVING", kwHaving, ansiReserved},
	{"HISTORY", kwHistory, 0},
	{"HOUR", kwHour, 0},
	{"HOURS", kwHours, 0},
	{"IDENTIFIED", kwIdentified, 0},
	{"IDENTIFIER", kwIdentifier, 0},
	{"IDENTITY", kwIdentity, 0},
	{"IF", kwIf, 0},
	{"IGNORE", kwIgnore, 0},
	{"ILIKE", kwIlike, 0},
	{"IMMEDIATE", kwImmediate, 0},
	{"IMPORT", kwImport, 0},
	{"IN", kwIn, ansiReserved},
	{"INCLUDE", kwInclude, 0},
	{"INCLUSIVE", kwInclusive, 0},
	{"INCREMENT", kwIncrement, 0},
	{"INDEX", kwIndex, 0},
	{"INDEXES", kwIndexes, 0},
	{"INNER", kwInner, strictWord | ansiReserved},
	{"INPATH", kwInpath, 0},
	{"INPUT", kwInput, 0},
	{"INPUTFORMAT", kwInputformat, 0},
	{"INSENSITIVE", kwInsensitive, 0},
	{"INSERT", kwInsert, 0},
	{"INT", kwInt, 0},
	{"INTEGER", kwInteger, 0},
	{"INTERSECT", kwIntersect, strictWord | ansiReserved},
	{"INTERVAL", kwInterval, 0},
	{"INTO", kwInto, ansiReserved},
	{"INVOKER", kwInvoker, 0},
	{"IS", kwIs, ansiReserved},
	{"ITEMS", kwItems, 0},
	{"ITERATE", kwIterate, 0},
	{"JOIN", kwJoin, strictWord | ansiReserved},
	{"JSON", kwJson, 0},
	{"JSON_TABLE", kwJsonTable, 0},
	{"KEY", kwKey, 0},
	{"KEYS", kwKeys, 0},
	{"LANGUAGE", kwLanguage, 0},
	{"LAST", kwLast, 0},
	{"LATERAL", kwLateral, strictWord | ansiReserved},
	{"LAZY", kwLazy, 0},
	{"LEADING", kwLeading, ansiReserved},
	{"LEAVE", kwLeave, 0},
	{"LEFT", kwLeft, strictWord | ansiReserved},
	{"LEVEL", kwLevel, 0},
	{"LIKE", kwLike, 0},
	{"LIMIT", kwLimit, 0},
	{"LINES", kwLines, 0},
	{"LIST", kwList, 0},
	{"LOAD", kwLoad, 0},
	{"LOCAL", kwLocal, 0},
	{"LOCALTIME", kwLocaltime, ansiReserved},
	{"LOCATION", kwLocation, 0},
	{"LOCK", kwLock, 0},
	{"LOCKS", kwLocks, 0},
	{"LOGICAL", kwLogical, 0},
	{"LONG", kwLong, 0},
	{"LOOP", kwLoop, 0},
	{"MACRO", kwMacro, 0},
	{"MAP", kwMap, 0},
	{"MATCHED", kwMatched, 0},
	{"MATCH_CONDITION", kwMatchCondition, 0},
	{"MATERIALIZED", kwMaterialized, 0},
	{"MAX", kwMax, 0},
	{"MEASURE", kwMeasure, 0},
	{"MERGE", kwMerge, 0},
	{"METRICS", kwMetrics, 0},
	{"MICROSECOND", kwMicrosecond, 0},
	{"MICROSECONDS", kwMicroseconds, 0},
	{"MILLISECOND", kwMillisecond, 0},
	{"MILLISECONDS", kwMilliseconds, 0},
	{"MINUS", kwMinus, strictWord},
	{"MINUTE", kwMinute, 0},
	{"MINUTES", kwMinutes, 0},
	{"MODIFIES", kwModifies, 0},
	{"MONTH", kwMonth, 0},
	{"MONTHS", kwMonths, 0},
	{"MSCK", kwMsck, 0},
	{"NAME", kwName, 0},
	{"NAMESPACE", kwNamespace, 0},
	{"NAMESPACES", kwNamespaces, 0},
	{"NANOSECOND", kwNanosecond, 0},
	{"NANOSECONDS", kwNanoseconds, 0},
	{"NATURAL", kwNatural, strictWord | ansiReserved},
	{"NEAREST", kwNearest, 0},
	{"NEXT", kwNext, 0},
	{"NO", kwNo, 0},
	{"NONE", kwNone, 0},
	{"NORELY", kwNorely, 0},
	{"NOT", kwNot, ansiReserved},
	{"NULL", kwNull, ansiReserved},
	{"NULLS", kwNulls, 0},
	{"NUMERIC", kwNumeric, 0},
	{"OF", kwOf, 0},
	{"OFFSET", kwOffset, ansiReserved},
	{"ON", kwOn, strictWord | ansiReserved},
	{"ONLY", kwOnly, ansiReserved},
	{"OPEN", kwOpen, 0},
	{"OPTION", kwOption, 0},
	{"OPTIONS", kwOptions, 0},
	{"OR", kwOr, ansiReserved},
	{"ORDER", kwOrder, ansiReserved},
	{"ORDINALITY", kwOrdinality, 0},
	{"OUT", kwOut, 0},
	{"OUTER", kwOuter, ansiReserved},
	{"OUTPUTFORMAT", kwOutputformat, 0},
	{"OVER", kwOver, 0},
	{"OVERLAPS", kwOverlaps, ansiReserved},
	{"OVERLAY", kwOverlay, 0},
	{"OVERWRITE", kwOverwrite, 0},
	{"PARTITION", kwPartition, 0},
	{"PARTITIONED", kwPartitioned, 0},
	{"PARTITIONS", kwPartitions, 0},
	{"PATH", kwPath, 0},
	{"PERCENT", kwPercent, 0},
	{"PIVOT", kwPivot, 0},
	{"PLACING", kwPlacing, 0},
	{"POSITION", kwPosition, 0},
	{"PRECEDING", kwPreceding, 0},
	{"PRIMARY", kwPrimary, ansiReserved},
	{"PRINCIPALS", kwPrincipals, 0},
	{"PROCEDURE", kwProcedure, 0},
	{"PROCEDURES", kwProcedures, 0},
	{"PROPERTIES", kwProperties, 0},
	{"PURGE", kwPurge, 0},
	{"QUALIFY", kwQualify, 0},
	{"QUARTER", kwQuarter, 0},
	{"QUERY", kwQuery, 0},
	{"RANGE", kwRange, 0},
	{"READ", kwRead, 0},
	{"READS", kwReads, 0},
	{"REAL", kwReal, 0},
	{"RECORDREADER", kwRecordreader, 0},
	{"RECORDWRITER", kwRecordwriter, 0},
	{"RECOVER", kwRecover, 0},
	{"RECURSION", kwRecursion, 0},
	{"RECURSIVE", kwRecursive, ansiReserved},
	{"REDUCE", kwReduce, 0},
	{"REFERENCES", kwReferences, ansiReserved},
	{"REFRESH", kwRefresh, 0},
	{"REGEXP", kwRlike, 0},
	{"RELY", kwRely, 0},
	{"RENAME", kwRename, 0},
	{"REPAIR", kwRepair, 0},
	{"REPEAT", kwRepeat, 0},
	{"REPEATABLE", kwRepeatable, 0},
	{"REPLACE", kwReplace, 0},
	{"RESET", kwReset, 0},
	{"RESPECT", kwRespect, 0},
	{"RESTRICT", kwRestrict, 0},
	{"RETURN", kwReturn, 0},
	{"RETURNS", kwReturns, 0},
	{"REVOKE", kwRevoke, 0},
	{"RIGHT", kwRight, strictWord | ansiReserved},
	{"RLIKE", kwRlike, 0},
	{"ROLE", kwRole, 0},
	{"ROLES", kwRoles, 0},
	{"ROLLBACK", kwRollback, 0},
	{"ROLLUP", kwRollup, 0},
	{"ROW", kwRow, 0},
	{"ROWS", kwRows, 0},
	{"SCD", kwScd, 0},
	{"SCHEMA", kwSchema, 0},
	{"SCHEMAS", kwSchemas, 0},
	{"SECOND", kwSecond, 0},
	{"SECONDS", kwSeconds, 0},
	{"SECURITY", kwSecurity, 0},
	{"SELECT", kwSelect, ansiReserved},
	{"SEMI", kwSemi, strictWord},
	{"SEPARATED", kwSeparated, 0},
	{"SEQUENCE", kwSequence, 0},
	{"SERDE", kwSerde, 0},
	{"SERDEPROPERTIES", kwSerdeproperties, 0},
	{"SESSION_USER", kwSessionUser, ansiReserved},
	{"SET", kwSet, 0},
	{"SETS", kwSets, 0},
	{"SHORT", kwShort, 0},
	{"SHOW", kwShow, 0},
	{"SIMILARITY", kwSimilarity, 0},
	{"SINGLE", kwSingle, 0},
	{"SKEWED", kwSkewed, 0},
	{"SMALLINT", kwSmallint, 0},
	{"SOME", kwSome, ansiReserved},
	{"SORT", kwSort, 0},
	{"SORTED", kwSorted, 0},
	{"SOURCE", kwSource, 0},
	{"SPECIFIC", kwSpecific, 0},
	{"SQL", kwSql, ansiReserved},
	{"SQLEXCEPTION", kwSqlexception, 0},
	{"SQLSTATE", kwSqlstate, 0},
	{"START", kwStart, 0},
	{"STATISTICS", kwStatistics, 0},
	{"STORED", kwStored, 0},
	{"STRATIFY", kwStratify, 0},
	{"STREAM", kwStream, 0},
	{"STREAMING", kwStreaming, 0},
	{"STRING", kwString, 0},
	{"STRUCT", kwStruct, 0},
	{"SUBSTR", kwSubstr, 0},
	{"SUBSTRING", kwSubstring, 0},
	{"SYNC", kwSync, 0},
	{"SYSTEM", kwSystem, 0},
	{"SYSTEM_PATH", kwSystemPath, 0},
	{"SYSTEM_TIME", kwSystemTime, 0},
	{"SYSTEM_VERSION", kwSystemVersion, 0},
	{"TABLE", kwTable, ansiReserved},
	{"TABLES", kwTables, 0},
	{"TABLESAMPLE", kwTablesample, 0},
	{"TARGET", kwTarget, 0},
	{"TBLPROPERTIES", kwTblproperties, 0},
	{"TEMP", kwTemporary, 0},
	{"TEMPORARY", kwTemporary, 0},
	{"TERMINATED", kwTerminated, 0},
	{"THEN", kwThen, ansiReserved},
	{"TIME", kwTime, ansiReserved},
	{"TIMEDIFF", kwTimediff, 0},
	{"TIMESTAMP", kwTimestamp, 0},
	{"TIMESTAMPADD", kwTimestampadd, 0},
	{"TIMESTAMPDIFF", kwTimestampdiff, 0},
	{"TIMESTAMP_LTZ", kwTimestampLtz, 0},
	{"TIMESTAMP_NTZ", kwTimestampNtz, 0},
	{"TINYINT", kwTinyint, 0},
	{"TO", kwTo, ansiReserved},
	{"TOUCH", kwTouch, 0},
	{"TRACK", kwTrack, 0},
	{"TRAILING", kwTrailing, ansiReserved},
	{"TRANSACTION", kwTransaction, 0},
	{"TRANSACTIONS", kwTransactions, 0},
	{"TRANSFORM", kwTransform, 0},
	{"TRIM", kwTrim, 0},
	{"TRUE", kwTrue, 0},
	{"TRUNCATE", kwTruncate, 0},
	{"TRY_CAST", kwTryCast, 0},
	{"TYPE", kwType, 0},
	{"UNARCHIVE", kwUnarchive, 0},
	{"UNBOUNDED", kwUnbounded, 0},
	{"UNCACHE", kwUncache, 0},
	{"UNIFORM", kwUniform, 0},
	{"UNION", kwUnion, strictWord | ansiReserved},
	{"UNIQUE", kwUnique, ansiReserved},
	{"UNKNOWN", kwUnknown, ansiReserved},
	{"UNLOCK", kwUnlock, 0},
	{"UNNEST", kwUnnest, 0},
	{"UNPIVOT", kwUnpivot, 0},
	{"UNSET", kwUnset, 0},
	{"UNTIL", kwUntil, 0},
	{"UPDATE", kwUpdate, 0},
	{"USE", kwUse, 0},
	{"USER", kwUser, ansiReserved},
	{"USING", kwUsing, strictWord | ansiReserved},
	{"VALUE", kwValue, 0},
	{"VALUES", kwValues, 0},
	{"VAR", kwVar, 0},
	{"VARCHAR", kwVarchar, 0},
	{"VARIABLE", kwVariable, 0},
	{"VARIANT", kwVariant, 0},
	{"VERSION", kwVersion, 0},
	{"VIEW", kwView, 0},
	{"VIEWS", kwViews, 0},
	{"VOID", kwVoid, 0},
	{"WATERMARK", kwWatermark, 0},
	{"WEEK", kwWeek, 0},
	{"WEEKS", kwWeeks, 0},
	{"WHEN", kwWhen, ansiReserved},
	{"WHERE", kwWhere, ansiReserved},
	{"WHILE", kwWhile, 0},
	{"WIDTH", kwWidth, 0},
	{"WINDOW", kwWindow, 0},
	{"WITH", kwWith, ansiReserved},
	{"WITHIN", kwWithin, ansiReserved},
	{"WITHOUT", kwWithout, 0},
	{"X", kwX, 0},
	{"YEAR", kwYear, 0},
	{"YEARS", kwYears, 0},
	{"ZONE", kwZone, 0},
}
