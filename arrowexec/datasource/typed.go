package datasource

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet/compress"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// base is the part of a column reader that doesn't depend on the values' type.
type base struct {
	t        *types.Type
	nullable bool
	pool     *vec.Pool
	yield    func() error
	bad      *error // what a conversion found wrong with its values

	codec compress.Compression
	file  *footer
	end   int64  // where the chunk ends in the file
	b     []byte // stored bytes not yet read
	hdr   pageHeader
	body  []byte      // the stored page, inflated already if it is one of kept
	place int64       // where body lies in the file
	pages []chunkPage // in the place of b: those to come, and what they inflate to
	kept  [][]byte
	left  int    // values of the current page not yet read
	ready bool   // the current page is inflated
	page  []byte // the page's inflated values
	def   rle

	codes  []int32 // scratch
	window []int32 // of codesOf
}

// typed reads values of T.
type typed[T vec.Fixed] struct {
	base
	width   int
	conv    func([]T, []byte)
	boolean bool
	bytes   bool

	dictPage  *storedPage // not yet inflated
	dict      []T
	dictBuf   []byte      // of bytes, what dict points into
	dictPlace []byte      // otherwise, memory to use again
	coded     *vec.Vector // see dictionary
	isDict    bool
	idx       rle
	vals      []T // of bytes, decoded at once
	bit       int // of plain booleans
	boolRLE   bool
	scratch   []byte
	tmp       []T // of pick
}

type storedPage struct {
	chunkPage
	body []byte
}

// chunkPage is a page of a column chunk.
type chunkPage struct {
	hdr   pageHeader
	place int64 // where what follows the header lies in the file
}

// pagesIn lists the pages of a chunk that begins at start, if a chunk can be read from what they
// inflate to alone: the levels of pages of version 2 lie outside of that.
func pagesIn(b []byte, start int64) (list []chunkPage, ok bool) {
	end := start + int64(len(b))
	for len(b) > 0 {
		h, n, err := readHeader(b)
		if err != nil || int64(len(b)-n) < h.packed || h.kind == 3 {
			return nil, false
		}
		b = b[n:]
		list = append(list, chunkPage{h, end - int64(len(b))})
		b = b[h.packed:]
	}
	return list, true
}

func (c *typed[T]) open(b []byte, codec compress.Compression, file *footer, start int64) {
	c.b, c.codec, c.left, c.ready = b, codec, 0, false
	c.file, c.end = file, start+int64(len(b))
	c.pages, c.kept = nil, nil
	c.dict, c.dictPage, c.coded = nil, nil, nil
}

func (c *typed[T]) openKept(pages []chunkPage, kept [][]byte) {
	c.open(nil, compress.Codecs.Uncompressed, nil, 0)
	c.pages, c.kept = pages, kept
}

// peek makes the next page with values current, without inflating it.
func (c *typed[T]) peek() error {
	for c.left == 0 {
		if err := c.nextPage(); err != nil {
			return err
		}
		switch h := &c.hdr; h.kind {
		case 2:
			c.dictPage = &storedPage{chunkPage{*h, c.place}, c.body} // most are needed, but not where all rows are skipped
		case 0, 3:
			c.left, c.ready = int(h.values), false
		}
	}
	return nil
}

// nextPage finds the next page of the chunk.
func (b *base) nextPage() error {
	if len(b.pages) > 0 {
		b.hdr, b.body = b.pages[0].hdr, b.kept[0]
		b.pages, b.kept = b.pages[1:], b.kept[1:]
		return nil
	}
	if len(b.b) == 0 {
		return fmt.Errorf("%w: its values end early", errCorrupt)
	}
	h, n, err := readHeader(b.b)
	if err != nil {
		return err
	}
	if int64(len(b.b)-n) < h.packed {
		return errCorrupt
	}
	b.hdr, b.body = h, b.b[n:n+int(h.packed)]
	b.b = b.b[n+int(h.packed):]
	b.place = b.end - int64(len(b.b)) - h.packed
	return nil
}

// loadDict inflates the chunk's dictionary, unless that has been done.
func (c *typed[T]) loadDict() error {
	if c.dict != nil {
		return nil
	}
	if c.dictPage == nil {
		return errCorrupt
	}
	n := int(c.dictPage.hdr.values)
	var place []byte
	if !c.bytes {
		place = c.dictPlace
	}
	buf, own, err := c.inflate(place, c.dictPage.body, c.dictPage.place, int(c.dictPage.hdr.raw))
	if err != nil {
		return err
	}
	if c.bytes {
		c.dictBuf = buf
		c.dict, err = c.refs(buf, n, true)
		return err
	}
	if own {
		c.dictPlace = buf
	}
	if c.boolean || n*c.width > len(buf) {
		return errCorrupt
	}
	var z T
	if start := unsafe.Pointer(unsafe.SliceData(buf)); n > 0 && c.conv == nil && uintptr(start)%max(unsafe.Alignof(z), 8) == 0 {
		c.dict = unsafe.Slice((*T)(start), n)
		return c.yield()
	}
	c.dict = vec.Uncleared[T](n)
	for from := 0; from < n; from += convStep {
		to := min(n, from+convStep)
		c.convert(c.dict[from:to], buf[from*c.width:])
		if err := c.yield(); err != nil {
			return err
		}
	}
	if c.dict == nil {
		c.dict = []T{}
	}
	return nil
}

func (c *typed[T]) convert(dst []T, src []byte) {
	if c.conv == nil {
		plainCopy(dst, src)
		return
	}
	c.conv(dst, src)
}

// convStep is how many values of a dictionary are converted between two yield points.
const convStep = 4096

// refs finds the plain byte arrays in buf: n of them if exact, else up to n,
// which end where buf does (nulls have no value).
func (c *typed[T]) refs(buf []byte, n int, exact bool) ([]T, error) {
	if n > len(buf)/4 {
		if exact {
			return nil, errCorrupt
		}
		n = len(buf) / 4
	}
	out := vec.Uncleared[T](n)
	refs := unsafe.Slice((*vec.Ref)(unsafe.Pointer(unsafe.SliceData(out))), n)
	at := 0
	for i := range refs {
		if at+4 > len(buf) {
			if at == len(buf) && !exact {
				return out[:i], nil
			}
			return nil, errCorrupt
		}
		k := int(binary.LittleEndian.Uint32(buf[at:]))
		at += 4
		if k > len(buf)-at {
			return nil, errCorrupt
		}
		refs[i] = vec.MakeRef(at, k)
		at += k
		if i&1023 == 1023 {
			if err := c.yield(); err != nil {
				return nil, err
			}
		}
	}
	if !exact && at != len(buf) {
		return nil, errCorrupt
	}
	return out, nil
}

// inflate is the page of n bytes that lies at place in the file, stored as body; own
// says that nobody else has it, so that its memory, maybe dst, may be used again.
func (b *base) inflate(dst, body []byte, place int64, n int) (data []byte, own bool, err error) {
	if b.codec == compress.Codecs.Uncompressed {
		data, err = inflate(b.codec, nil, body, n, b.yield)
		return data, false, err
	}
	id := pageID{b.file, place}
	data, keep := inflated.get(id, n)
	if data != nil {
		if len(data) != n {
			return nil, false, errCorrupt
		}
		return data, false, nil
	}
	if keep {
		dst = nil
	}
	if data, err = inflate(b.codec, dst, body, n, b.yield); err != nil || !keep {
		return data, true, err
	}
	inflated.put(id, data)
	return data, false, nil
}

// load inflates the current page and sets its decoders up.
func (c *typed[T]) load() error {
	h := &c.hdr
	var levels, data []byte
	dst := c.scratch
	if c.bytes {
		dst = nil // refs go on pointing into it
	}
	if h.kind == 3 {
		lv := int(h.defBytes + h.repBytes)
		if lv > len(c.body) || int64(lv) > h.raw {
			return errCorrupt
		}
		levels, data = c.body[h.repBytes:lv], c.body[lv:]
		if h.compressed {
			var own bool
			var err error
			if data, own, err = c.inflate(dst, data, c.place, int(h.raw)-lv); err != nil {
				return err
			}
			if own && !c.bytes {
				c.scratch = data
			}
		}
	} else {
		var own bool
		var err error
		if data, own, err = c.inflate(dst, c.body, c.place, int(h.raw)); err != nil {
			return err
		}
		if own && !c.bytes {
			c.scratch = data[:cap(data)]
		}
		if c.nullable {
			if len(data) < 4 {
				return errCorrupt
			}
			n := int64(binary.LittleEndian.Uint32(data))
			if n > int64(len(data)-4) {
				return errCorrupt
			}
			levels, data = data[4:4+n], data[4+n:]
		}
	}
	if c.nullable {
		c.def = newRLE(levels, 1)
	}
	c.page, c.isDict, c.boolRLE, c.ready = data, false, false, true
	switch {
	case h.encoding == encPlainDict || h.encoding == encRLEDict:
		if err := c.loadDict(); err != nil {
			return err
		}
		c.isDict = true
		if len(data) == 0 { // a page of nulls only
			c.idx = newRLE(nil, 0)
			return nil
		}
		if data[0] > 32 {
			return errCorrupt
		}
		c.idx = newRLE(data[1:], uint(data[0]))
	case h.encoding == encPlain && c.bytes:
		var err error
		c.vals, err = c.refs(data, int(h.values), false)
		return err
	case h.encoding == encPlain:
		c.bit = 0
	case h.encoding == encRLE && c.boolean:
		if len(data) < 4 {
			return errCorrupt
		}
		c.boolRLE = true
		c.idx = newRLE(data[4:], 1)
	default:
		return fmt.Errorf("the page encoding %d is not supported here", h.encoding)
	}
	return nil
}

// values decodes len(dst) values that are not null.
func (c *typed[T]) values(dst []T) error {
	n := len(dst)
	if n == 0 {
		return nil
	}
	switch {
	case c.isDict:
		return readCodes(&c.idx, dst, c.dict)
	case c.bytes:
		if n > len(c.vals) {
			return errCorrupt
		}
		copy(dst, c.vals)
		c.vals = c.vals[n:]
	case c.boolean:
		codes := c.space(n)
		if c.boolRLE {
			if err := c.idx.read(codes); err != nil {
				return err
			}
		} else {
			if (c.bit+n+7)/8 > len(c.page) {
				return errCorrupt
			}
			unpack(codes, c.page, c.bit, 1)
			c.bit += n
		}
		out := unsafe.Slice((*bool)(unsafe.Pointer(&dst[0])), n)
		for i, k := range codes {
			out[i] = k != 0
		}
	default:
		if n*c.width > len(c.page) {
			return errCorrupt
		}
		c.convert(dst, c.page[:n*c.width])
		c.page = c.page[n*c.width:]
	}
	return nil
}

// space is memory for n codes or levels.
func (b *base) space(n int) []int32 {
	if cap(b.codes) < n {
		b.codes = make([]int32, max(n, vec.DefaultRows))
	}
	return b.codes[:n]
}

// current makes the next page current and inflated.
func (c *typed[T]) current() error {
	if err := c.peek(); err != nil {
		return err
	}
	if c.ready {
		return nil
	}
	if err := c.load(); err != nil {
		return err
	}
	return c.yield()
}

func (c *typed[T]) read(n int) (*vec.Vector, error) {
	out := vec.Scratch[T](c.pool, n)
	var null []bool
	buf := pageBytes[T]{out: out}
	for at := 0; at < n; {
		if err := c.current(); err != nil {
			return nil, err
		}
		k := min(n-at, c.left)
		if dst := out[at : at+k]; c.nullable && !c.def.ones(k) {
			if err := c.nullableRun(dst, &null, at, n); err != nil {
				return nil, err
			}
		} else if err := c.values(dst); err != nil {
			return nil, err
		}
		if c.bytes {
			buf.add(c.source(), at, at+k)
		}
		at += k
		c.left -= k
	}
	v := vec.FromSlice(c.t, out, null)
	v.Buf = buf.bytes
	return v, c.wrong()
}

// pick implements column.
func (c *typed[T]) pick(n int, at []int32) (*vec.Vector, error) {
	if len(at) == n {
		return c.read(n)
	}
	out := vec.Scratch[T](c.pool, len(at))
	var null []bool
	buf := pageBytes[T]{out: out}
	done := 0 // of at
	for pos := 0; pos < n; {
		if err := c.peek(); err != nil {
			return nil, err
		}
		k := min(n-pos, c.left)
		end := done
		for end < len(at) && int(at[end]) < pos+k {
			end++
		}
		if end == done {
			if err := c.pass(k); err != nil {
				return nil, err
			}
			pos += k
			continue
		}
		if err := c.current(); err != nil {
			return nil, err
		}
		dst, here := out[done:end], at[done:end]
		switch {
		case (c.isDict || c.bytes) && (!c.nullable || c.def.ones(k)):
			if c.isDict {
				if err := pickCodes(&c.idx, dst, c.dict, k, here, int32(pos)); err != nil {
					return nil, err
				}
				break
			}
			if k > len(c.vals) {
				return nil, errCorrupt
			}
			for i, r := range here {
				dst[i] = c.vals[int(r)-pos]
			}
			c.vals = c.vals[k:]
		case c.conv == nil && !c.boolean && (!c.nullable || c.def.ones(k)):
			if k*c.width > len(c.page) {
				return nil, errCorrupt
			}
			p := unsafe.Pointer(unsafe.SliceData(c.page))
			for i, r := range here {
				dst[i] = *(*T)(unsafe.Add(p, (int(r)-pos)*c.width))
			}
			c.page = c.page[k*c.width:]
		default:
			if cap(c.tmp) < k {
				c.tmp = vec.Uncleared[T](max(k, vec.DefaultRows))
			}
			tmp := c.tmp[:k]
			var nulls []bool
			if !c.nullable || !(c.isDict || c.bytes) && (c.conv != nil || c.boolean) && c.def.ones(k) {
				if err := c.values(tmp); err != nil {
					return nil, err
				}
			} else if err := c.nullableRun(tmp, &nulls, 0, k); err != nil {
				return nil, err
			}
			for i, r := range here {
				dst[i] = tmp[int(r)-pos]
			}
			if nulls != nil {
				if null == nil {
					null = make([]bool, len(at))
				}
				for i, r := range here {
					null[done+i] = nulls[int(r)-pos]
				}
			}
		}
		if c.bytes {
			buf.add(c.source(), done, end)
		}
		done = end
		pos += k
		c.left -= k
	}
	v := vec.FromSlice(c.t, out, null)
	v.Buf = buf.bytes
	return v, c.wrong()
}

// source is what references of the current page point into.
func (c *typed[T]) source() []byte {
	if c.isDict {
		return c.dictBuf
	}
	return c.page
}

// dictionary is the chunk's dictionary, with a null behind its values where the
// column may have nulls; nil where not all pages use it.
func (c *typed[T]) dictionary() (*vec.Vector, error) {
	if c.coded != nil || c.boolean || !c.allCoded() {
		return c.coded, nil
	}
	if c.left == 0 {
		if err := c.peek(); err != nil {
			return nil, err
		}
	}
	if err := c.loadDict(); err != nil {
		return nil, err
	}
	all := c.dict[:len(c.dict):len(c.dict)]
	var null []bool
	if c.nullable {
		var zero T
		all = append(all, zero)
		null = make([]bool, len(all))
		null[len(null)-1] = true
	}
	c.coded = vec.FromSlice(c.t, all, null)
	c.coded.Buf = c.dictBuf
	return c.coded, c.wrong()
}

// allCoded looks into the headers of the pages to come.
func (c *typed[T]) allCoded() bool {
	coded := func(h *pageHeader) bool { return h.encoding == encPlainDict || h.encoding == encRLEDict }
	if c.left > 0 && !coded(&c.hdr) {
		return false
	}
	dict := c.dictPage != nil
	for i := range c.pages {
		switch h := &c.pages[i].hdr; {
		case h.kind == 2:
			dict = true
		case h.kind == 0 && !coded(h):
			return false
		}
	}
	for b := c.b; len(b) > 0; {
		h, n, err := readHeader(b)
		if err != nil || int64(len(b)-n) < h.packed {
			return false // reading will say so
		}
		switch {
		case h.kind == 2:
			dict = true
		case (h.kind == 0 || h.kind == 3) && !coded(&h):
			return false
		}
		b = b[n+int(h.packed):]
	}
	return dict
}

// codes reads the next n values as positions in dictionary, which isn't nil. They
// stay as they are until the next call.
func (c *typed[T]) codesOf(n int) ([]int32, error) {
	if cap(c.window) < n {
		c.window = make([]int32, max(n, vec.DefaultRows))
	}
	out := c.window[:n]
	for at := 0; at < n; {
		if err := c.current(); err != nil {
			return nil, err
		}
		if !c.isDict {
			return nil, errCorrupt
		}
		k := min(n-at, c.left)
		dst := out[at : at+k]
		if c.nullable && !c.def.ones(k) {
			levels := c.space(k)
			if err := c.def.read(levels); err != nil {
				return nil, err
			}
			have := 0
			for _, l := range levels {
				have += int(l & 1)
			}
			if err := c.idx.read(dst[:have]); err != nil {
				return nil, err
			}
			null := int32(len(c.dict))
			j := have
			for i := k - 1; i >= 0; i-- {
				if levels[i]&1 == 0 {
					dst[i] = null
				} else {
					j--
					dst[i] = dst[j]
				}
			}
		} else if err := c.idx.read(dst); err != nil {
			return nil, err
		}
		at += k
		c.left -= k
	}
	top := uint32(c.coded.N)
	bad := false
	for _, k := range out {
		bad = bad || uint32(k) >= top
	}
	if bad {
		return nil, errCorrupt
	}
	return out, nil
}

// decode gives the values of codes.
func (c *typed[T]) decode(codes []int32) *vec.Vector {
	v := c.coded.GatherPool(c.pool, codes)
	if v.Null != nil && !v.HasNulls() {
		v.Null = nil
	}
	return v
}

// pageBytes finds one buffer for references into several pages.
type pageBytes[T vec.Fixed] struct {
	out   []T // of vec.Ref
	bytes []byte
	own   bool // bytes is a copy
	any   bool
}

// add says that refs from..to point into src.
func (p *pageBytes[T]) add(src []byte, from, to int) {
	refs := unsafe.Slice((*vec.Ref)(unsafe.Pointer(unsafe.SliceData(p.out))), len(p.out))
	switch {
	case !p.any:
		p.bytes, p.any = src, true
	case p.own:
		p.bytes = appendRefs(p.bytes, refs[from:to], src)
	case unsafe.SliceData(p.bytes) == unsafe.SliceData(src): // pages of one dictionary
	default:
		p.bytes = appendRefs(appendRefs(nil, refs[:from], p.bytes), refs[from:to], src)
		p.own = true
	}
}

// appendRefs copies what refs point at in src behind dst, and moves the refs there.
func appendRefs(dst []byte, refs []vec.Ref, src []byte) []byte {
	for i, r := range refs {
		refs[i] = vec.MakeRef(len(dst), r.Len())
		dst = append(dst, src[r.Start():r.Start()+r.Len()]...)
	}
	return dst
}

// nullableRun reads definition levels, then values, which it spreads over the places that are not null.
func (c *typed[T]) nullableRun(dst []T, null *[]bool, at, n int) error {
	levels := c.space(len(dst))
	if err := c.def.read(levels); err != nil {
		return err
	}
	have := 0
	for _, l := range levels {
		have += int(l & 1)
	}
	if have == len(dst) {
		return c.values(dst)
	}
	if *null == nil {
		*null = make([]bool, n)
	}
	mask := (*null)[at : at+len(dst)]
	for i, l := range levels {
		mask[i] = l == 0
	}
	if err := c.values(dst[:have]); err != nil {
		return err
	}
	var zero T
	j := have
	for i := len(dst) - 1; i >= 0; i-- {
		if mask[i] {
			dst[i] = zero
		} else {
			j--
			dst[i] = dst[j]
		}
	}
	return nil
}

func (c *typed[T]) skip(n int) error {
	for n > 0 {
		if err := c.peek(); err != nil {
			return err
		}
		k := min(n, c.left)
		if err := c.pass(k); err != nil {
			return err
		}
		n -= k
	}
	return c.yield()
}

// pass skips k values of the current page.
func (c *typed[T]) pass(k int) error {
	if !c.ready && k == c.left {
		c.left = 0
		return nil
	}
	if err := c.current(); err != nil {
		return err
	}
	c.left -= k
	if c.nullable && !c.def.ones(k) {
		levels := c.space(k)
		if err := c.def.read(levels); err != nil {
			return err
		}
		k = 0
		for _, l := range levels {
			k += int(l & 1)
		}
	}
	switch {
	case c.isDict, c.boolRLE:
		return c.idx.skip(k)
	case c.bytes:
		if k > len(c.vals) {
			return errCorrupt
		}
		c.vals = c.vals[k:]
	case c.boolean:
		c.bit += k
	default:
		if k*c.width > len(c.page) {
			return errCorrupt
		}
		c.page = c.page[k*c.width:]
	}
	return nil
}

// wrong is what is wrong with values that were converted.
func (b *base) wrong() error {
	if b.bad == nil {
		return nil
	}
	return *b.bad
}
