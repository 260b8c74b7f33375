/*
 * Buddy allocator in C, for comparison: the same algorithm as the package's free lists, on one thread,
 * without locks, page caches, migratetypes or checks of what is freed. One state byte a page, doubly
 * linked lists by order through an array of index pairs, a bit per non-empty list.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_ORDER 10
#define FREE 0x10
#define USED 0x20
#define NONE (-1)

static uint8_t *state;
static int32_t (*links)[2];
static int32_t head[MAX_ORDER + 1];
static uint32_t nonempty;
static int32_t page_count;

static inline void insert(int32_t i, int order)
{
	int32_t first = head[order];
	state[i] = FREE | order;
	links[i][0] = first;
	links[i][1] = NONE;
	if (first != NONE)
		links[first][1] = i;
	else
		nonempty |= 1u << order;
	head[order] = i;
}

static inline void unlink_block(int32_t i, int order)
{
	int32_t next = links[i][0], previous = links[i][1];
	if (previous == NONE)
		head[order] = next;
	else
		links[previous][0] = next;
	if (next != NONE)
		links[next][1] = previous;
	if (head[order] == NONE)
		nonempty &= ~(1u << order);
}

static inline int32_t take(int order)
{
	uint32_t fitting = nonempty >> order << order;
	int32_t i;
	int high;
	if (!fitting)
		return NONE;
	high = __builtin_ctz(fitting);
	i = head[high];
	unlink_block(i, high);
	while (high > order) {
		high--;
		insert(i + (1 << high), high);
	}
	state[i] = USED | order;
	return i;
}

static inline void give(int32_t i, int order)
{
	while (order < MAX_ORDER) {
		int32_t buddy = i ^ (1 << order);
		if (state[buddy] != (FREE | order))
			break;
		unlink_block(buddy, order);
		state[buddy] = 1;
		state[i] = 1;
		i &= buddy;
		order++;
	}
	insert(i, order);
}

static void prepare_pages(void)
{
	int32_t i;
	state = calloc(page_count, 1);
	links = calloc(page_count, sizeof *links);
	for (i = 0; i <= MAX_ORDER; i++)
		head[i] = NONE;
	for (i = page_count - (1 << MAX_ORDER); i >= 0; i -= 1 << MAX_ORDER)
		insert(i, MAX_ORDER);
}

#include "traces.h"
