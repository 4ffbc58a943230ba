package datasource

import (
	"container/list"
	"hash/maphash"
	"sync"
)

// Pages of compressed Parquet files that are read again and again are kept
// inflated: of a scan half of the time goes into inflating. A page is kept from its
// second reading on, so that files which are read once cost nothing; when there
// is no room it replaces the one used longest ago only if it was asked for more
// often of late (TinyLFU), so that scans of more than fits don't chase each
// other's pages away.
//
// What is kept is never written to, and whoever reads it keeps it alive.

// pageID names a stored page: its file, as one reading of the footer found it, and
// where it lies. A file that has changed has another footer.
type pageID struct {
	file *footer
	at   int64
}

type keptPage struct {
	id    pageID
	bytes []byte
}

// Counts are halved after countAge questions, or after agePages for each page
// that is kept: pages that nobody asks for any more make room soon.
const (
	countAge = 1024
	agePages = 8
)

type pageCache struct {
	mu     sync.Mutex
	limit  int64
	size   int64
	pages  map[pageID]*list.Element // of *keptPage
	recent *list.List               // the one used last is in front
	seed   maphash.Seed
	counts [1 << 14]uint8 // how often pages were asked for, by hash
	asked  int
	hits   int64
}

func newPageCache(limit int64) *pageCache {
	return &pageCache{limit: limit, pages: map[pageID]*list.Element{}, recent: list.New(), seed: maphash.MakeSeed()}
}

var inflated = newPageCache(0)

// SetPageCache bounds the memory for inflated pages of files; 0: none are kept.
func SetPageCache(bytes int64) { inflated.setLimit(bytes) }

// PageCache is the memory that inflated pages take now, and how often one was used again.
func PageCache() (bytes, hits int64) {
	inflated.mu.Lock()
	defer inflated.mu.Unlock()
	return inflated.size, inflated.hits
}

func (k *pageCache) setLimit(bytes int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.limit = bytes
	for k.size > k.limit {
		k.drop(k.recent.Back())
	}
}

func (k *pageCache) drop(e *list.Element) {
	p := k.recent.Remove(e).(*keptPage)
	delete(k.pages, p.id)
	k.size -= int64(len(p.bytes))
}

func (k *pageCache) count(id pageID) *uint8 {
	return &k.counts[maphash.Comparable(k.seed, id)%uint64(len(k.counts))]
}

// all returns the pages of a chunk if all of them are kept.
func (k *pageCache) all(file *footer, chunk []chunkPage) [][]byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.limit == 0 {
		return nil
	}
	for i := range chunk {
		if k.pages[pageID{file, chunk[i].place}] == nil {
			return nil
		}
	}
	out := make([][]byte, len(chunk))
	for i := range chunk {
		id := pageID{file, chunk[i].place}
		k.ask(id)
		e := k.pages[id]
		k.recent.MoveToFront(e)
		k.hits++
		out[i] = e.Value.(*keptPage).bytes
	}
	return out
}

// ask counts a question for a page. mu is held.
func (k *pageCache) ask(id pageID) (count uint8) {
	c := k.count(id)
	if *c < 255 {
		*c++
	}
	if k.asked++; k.asked >= max(countAge, agePages*len(k.pages)) {
		k.asked = 0
		for i := range k.counts {
			k.counts[i] /= 2
		}
	}
	return *c
}

// get returns a page, or whether it is worth keeping once its n bytes are there.
func (k *pageCache) get(id pageID, n int) (page []byte, keep bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.limit == 0 || id.file == nil {
		return nil, false
	}
	count := k.ask(id)
	if e := k.pages[id]; e != nil {
		k.recent.MoveToFront(e)
		k.hits++
		return e.Value.(*keptPage).bytes, false
	}
	return nil, count > 1 && k.room(count, int64(n))
}

// room reports whether n bytes are free, or taken by pages asked for less often than count times. mu is held.
func (k *pageCache) room(count uint8, n int64) bool {
	if n > k.limit/8 {
		return false
	}
	free := k.limit - k.size
	for e := k.recent.Back(); free < n; e = e.Prev() {
		p := e.Value.(*keptPage)
		if *k.count(p.id) >= count {
			return false
		}
		free += int64(len(p.bytes))
	}
	return true
}

// put keeps a page that get wanted; nobody may write to it any more.
func (k *pageCache) put(id pageID, bytes []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := int64(len(bytes))
	if k.pages[id] != nil || !k.room(*k.count(id), n) {
		return
	}
	for k.limit-k.size < n {
		k.drop(k.recent.Back())
	}
	k.pages[id] = k.recent.PushFront(&keptPage{id, bytes})
	k.size += n
}
