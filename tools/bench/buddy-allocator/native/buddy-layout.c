/*
 * The package's own data and steps in C, for trace c: what its promises cost where the language costs nothing. Beside the lists of
 * buddy.c there are
 *
 *   a cache of the thread     4000 entries; a free pushes, a full one gives 512 back under the lock, in the order in which they came
 *   a byte of the kind        of each free (wrong order, freed already, in a cache?) and again when an entry goes back or is taken
 *   a journal                 two words that say which block is in flight, widened at each merge: a thread may end anywhere
 *   pageblocks, counters      the type of a block's list, pages and blocks that are free, blocks of each list
 *   the tail of a list        for a block whose pair will merge soon
 *   a lock that has an owner  two atomic operations for 512 entries
 *
 * with the layout of src/base/control-layout.ts and cache-layout.ts, one type, and each index compared with the length of its array, as
 * the engine must. Sizes are those that the cache has come to when the trace is warm.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_PAGES (1 << 20)
#define MAX_ORDER 10
#define PAGEBLOCK_ORDER 9
#define BODY 0x01
#define FREE 0x10
#define ALLOCATED 0x20
#define CACHED 0x30
#define DIRTY 0x80
#define HEAD 0x7f
#define ISOLATED 0x80
#define TYPE_MASK 0x07
#define MOVABLE 1
#define MERGEABLE 3
#define NONE (-1)

#define CAPACITY 4000
#define BATCH 512
#define TAG 0x10001

/* Words of the zone. */
enum { LOCK, FREE_PAGES, FREE_BLOCKS, JOURNAL_INDEX, JOURNAL_ORDER, MARK_LOW, MARK_HIGH, BOOST, FLAGS, MASK = 16, LISTS = 32 };
/* Words of a cache: the header of the one list that trace c uses, and its stack. */
enum { ATTENTION = 1024, TOP, BOTTOM, LIMIT, FLOOR = 1040, WORDS = FLOOR + CAPACITY + 64 };

static int32_t w[WORDS];
static uint8_t state[MOST_PAGES], pageblocks[MOST_PAGES >> PAGEBLOCK_ORDER];
static int32_t links[2 * MOST_PAGES], top_links[2 * (MOST_PAGES >> MAX_ORDER)];
static int32_t page_count;

#define AT(array, i) array[__builtin_expect((uint32_t)(i) >= sizeof array / sizeof *array, 0) ? (abort(), 0) : (i)]
#define LIST(order, type) (LISTS + ((order) * 6 + (type)) * 3)

static inline int type_of(int32_t i)
{
	uint8_t byte = AT(pageblocks, i >> PAGEBLOCK_ORDER);
	return byte & ISOLATED ? 5 : byte & TYPE_MASK;
}

static inline void account(int32_t pages, int type)
{
	if (type < MERGEABLE)
		w[FREE_PAGES] += pages;
	else
		abort();
}

static inline void count_block(int list, int order, int by)
{
	AT(w, list + 2) += by;
	if (order >= PAGEBLOCK_ORDER)
		w[FREE_BLOCKS] += by * (1 << order);
}

static inline void insert(int32_t i, int order, int type, int tail, int dirty)
{
	int list = LIST(order, type);
	int32_t *at = order == MAX_ORDER ? top_links : links;
	int shift = order == MAX_ORDER ? MAX_ORDER : 0;
	int32_t slot = i >> shift << 1, first = AT(w, list);
	AT(state, i) = FREE | order | dirty;
	if (first == NONE) {
		w[list] = w[list + 1] = i;
		at[slot] = at[slot + 1] = NONE;
		w[MASK + type] |= 1 << order;
	} else if (tail) {
		int32_t last = w[list + 1];
		at[slot] = NONE;
		at[slot + 1] = last;
		at[last >> shift << 1] = i;
		w[list + 1] = i;
	} else {
		at[slot] = first;
		at[slot + 1] = NONE;
		at[(first >> shift << 1) + 1] = i;
		w[list] = i;
	}
	count_block(list, order, 1);
}

static inline void unlink_block(int32_t i, int order, int type)
{
	int list = LIST(order, type);
	int32_t *at = order == MAX_ORDER ? top_links : links;
	int shift = order == MAX_ORDER ? MAX_ORDER : 0;
	int32_t slot = i >> shift << 1, next, previous;
	if ((uint32_t)slot >= 2 * MOST_PAGES)
		abort();
	next = at[slot];
	previous = at[slot + 1];
	if (previous == NONE)
		w[list] = next;
	else
		at[previous >> shift << 1] = next;
	if (next == NONE) {
		w[list + 1] = previous;
		if (previous == NONE)
			w[MASK + type] &= ~(1 << order);
	} else
		at[(next >> shift << 1) + 1] = previous;
	count_block(list, order, -1);
}

static inline int merge_likely(int32_t i, int order)
{
	int32_t other = (i & ~(1 << order)) ^ (1 << (order + 1));
	return (AT(state, other) & ~DIRTY) == (FREE | (order + 1));
}

/* Frees a block to the lists, under the lock. */
static void free_block(int32_t i, int order, int dirty)
{
	int type = type_of(i), tail;
	w[JOURNAL_INDEX] = i;
	w[JOURNAL_ORDER] = order + 1;
	account(1 << order, type);
	while (order < MAX_ORDER) {
		int32_t buddy = i ^ 1 << order;
		int found = AT(state, buddy), its = type;
		if ((found & ~DIRTY) != (FREE | order))
			break;
		if (order >= PAGEBLOCK_ORDER && (its = type_of(buddy)) != type)
			abort();
		w[JOURNAL_ORDER] = order + 2;
		unlink_block(buddy, order, its);
		dirty |= found & DIRTY;
		AT(state, i | buddy) = BODY;
		i &= buddy;
		order++;
	}
	tail = order < MAX_ORDER - 1 && merge_likely(i, order);
	insert(i, order, type, tail, dirty);
	w[JOURNAL_ORDER] = 0;
}

/* The order of stores is the promise; the compiler must keep it where the processor does. */
#define ORDERED __asm__ volatile("" ::: "memory")

static void lock(void)
{
	int32_t free = 0;
	if (!__atomic_compare_exchange_n(&w[LOCK], &free, TAG, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		abort();
}

static void unlock(void)
{
	if (w[FREE_PAGES] < w[MARK_LOW])
		w[FLAGS] |= 1;
	else if ((w[FLAGS] & 1) && w[FREE_PAGES] > w[MARK_HIGH] + w[BOOST])
		w[FLAGS] &= ~1;
	if (__atomic_exchange_n(&w[LOCK], 0, __ATOMIC_SEQ_CST) != TAG)
		abort();
}

static void settle(void)
{
	int32_t entries = w[TOP] - w[BOTTOM];
	if (w[BOTTOM] != FLOOR)
		memmove(w + FLOOR + 1, w + w[BOTTOM] + 1, entries * sizeof *w);
	w[BOTTOM] = FLOOR;
	w[TOP] = FLOOR + entries;
	w[LIMIT] = w[ATTENTION] ? 0 : FLOOR + CAPACITY;
}

static void __attribute__((noinline)) give_back(int entries)
{
	int32_t end = w[BOTTOM] + entries, bottom;
	lock();
	if (end > w[TOP])
		end = w[TOP];
	for (bottom = w[BOTTOM] + 1; bottom <= end; bottom++) {
		int32_t i = AT(w, bottom);
		int head = AT(state, i);
		int twice = (head & ~DIRTY) != CACHED;
		if (!twice) {
			w[JOURNAL_INDEX] = i;
			w[JOURNAL_ORDER] = 1;
			ORDERED;
		}
		w[BOTTOM] = bottom;
		ORDERED;
		if (!twice)
			free_block(i, 0, head & DIRTY);
	}
	unlock();
	settle();
}

/* Cuts a batch from the smallest block, as cache-moves.ts does. */
static int carve(int wanted)
{
	uint32_t fitting = w[MASK + MOVABLE];
	int32_t i, end, page, cold = w[BOTTOM];
	int order, n, k, dirty;
	if (!fitting)
		return 0;
	order = __builtin_ctz(fitting);
	i = w[LIST(order, MOVABLE)];
	n = wanted < 1 << order ? wanted : 1 << order;
	end = i + (1 << order);
	w[JOURNAL_INDEX] = i;
	w[JOURNAL_ORDER] = order + 1;
	ORDERED;
	dirty = AT(state, i) & DIRTY;
	unlink_block(i, order, MOVABLE);
	account(-n, MOVABLE);
	for (page = i, k = 0; k < n; k++, page++) {
		AT(state, page) = CACHED | dirty;
		AT(w, cold) = page;
		cold--;
	}
	while (page < end) {
		int rest = __builtin_ctz(page - i);
		insert(page, rest, MOVABLE, 0, dirty);
		page += 1 << rest;
	}
	ORDERED;
	w[JOURNAL_ORDER] = 0;
	w[BOTTOM] = cold;
	return n;
}

static void __attribute__((noinline)) refill(void)
{
	int got = 0, more;
	w[TOP] = w[BOTTOM] = FLOOR + BATCH;
	lock();
	while (got < BATCH && (more = carve(BATCH - got)) > 0)
		got += more;
	unlock();
	settle();
}

static inline int32_t take(int order)
{
	int32_t i;
	if (order != 0)
		abort();
	if (w[TOP] == w[BOTTOM])
		refill();
	if (w[TOP] == w[BOTTOM])
		return NONE;
	i = AT(w, w[TOP]);
	w[TOP]--;
	if ((AT(state, i) & HEAD) != CACHED)
		abort();
	state[i] = ALLOCATED | DIRTY;
	return i;
}

static inline void give(int32_t i, int order)
{
	if (order != 0 || (AT(state, i) & HEAD) != ALLOCATED)
		abort();
	if ((AT(pageblocks, i >> PAGEBLOCK_ORDER) & (TYPE_MASK | ISOLATED)) >= MERGEABLE)
		abort();
	if (w[TOP] + 1 > w[LIMIT])
		give_back(BATCH);
	w[TOP]++;
	AT(w, w[TOP]) = i;
	state[i] = CACHED | DIRTY;
}

static void prepare_pages(void)
{
	int32_t i;
	if (page_count > MOST_PAGES)
		abort();
	for (i = LISTS; i < ATTENTION; i++)
		w[i] = NONE;
	for (i = 0; i <= MAX_ORDER; i++)
		w[LIST(i, MOVABLE) + 2] = 0;
	memset(pageblocks, MOVABLE, sizeof pageblocks);
	memset(state, BODY, page_count);
	w[TOP] = w[BOTTOM] = FLOOR;
	settle();
	for (i = page_count - (1 << MAX_ORDER); i >= 0; i -= 1 << MAX_ORDER)
		free_block(i, MAX_ORDER, 0);
}

#include "traces.h"
