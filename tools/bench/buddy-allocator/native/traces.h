/*
 * The traces of traces.mjs, for the C programs of this folder, which include it behind their allocator: `page_count`, `take(order)`,
 * `give(page, order)`, and `prepare_pages()` that makes all pages free.
 *
 *   PROGRAM TRACE PAGES OPERATIONS SEED [LENGTH]   prints: operations cpu-seconds wall-seconds sink
 *
 * Traces a, b, c, d as in traces.mjs; n is the loop of trace a with nothing behind it.
 */
/* The numbers of tools/kit/random.mjs for the same seed. */
static uint32_t x;
static inline uint32_t next_random(void)
{
	uint32_t mixed;
	x += 0x6d2b79f5;
	mixed = (x ^ x >> 15) * (x | 1);
	mixed ^= mixed + (mixed ^ mixed >> 7) * (mixed | 61);
	return mixed ^ mixed >> 14;
}

static inline uint32_t random_below(uint32_t limit)
{
	return (uint64_t)next_random() * limit >> 32;
}

static double seconds(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/*
 * Trace: slot numbers. A slot that is empty gets a block of its order, a full one is freed. Half of the
 * slots are filled before it begins, so that the number of slots sets the occupancy.
 */
static int32_t *trace, *live;
static uint8_t *orders;
static int32_t slots;

static void make_trace(int max_order, int32_t length, int fill)
{
	double pages_per_slot = 0;
	int32_t i;
	int o;
	for (o = 0; o <= max_order; o++)
		pages_per_slot += o < max_order ? 0.5 : 1;
	slots = (int32_t)(1.2 * page_count / pages_per_slot);
	live = malloc(slots * sizeof *live);
	orders = malloc(slots);
	trace = malloc(length * sizeof *trace);
	for (i = 0; i < slots; i++) {
		uint32_t r = next_random();
		int order = r == 0 ? max_order : __builtin_clz(r);
		orders[i] = order < max_order ? order : max_order;
		live[i] = NONE;
	}
	for (i = 0; i < length; i++)
		trace[i] = random_below(slots);
	for (i = 0; i < slots; i++)
		if ((next_random() & 1) && fill)
			live[i] = take(orders[i]);
}

static int64_t replay(int32_t length)
{
	int32_t i;
	for (i = 0; i < length; i++) {
		int32_t s = trace[i], handle = live[s];
		if (handle == NONE) {
			live[s] = take(orders[s]);
		} else {
			give(handle, orders[s]);
			live[s] = NONE;
		}
	}
	return length;
}

/* The loop alone (trace n): the compiler must not see that nothing happens. */
static int64_t replay_nothing(int32_t length)
{
	int32_t i;
	for (i = 0; i < length; i++) {
		int32_t s = trace[i], handle = live[s], order = orders[s];
		if (handle == NONE) {
			handle = 7;
			__asm__ volatile("" : "+r"(handle) : "r"(order));
			live[s] = handle;
		} else {
			__asm__ volatile("" : : "r"(handle), "r"(order) : "memory");
			live[s] = NONE;
		}
	}
	return length;
}

/* Order of the frees of trace c: a random permutation. */
static int32_t *permutation;

static int64_t fill_and_free(void)
{
	int32_t i;
	for (i = 0; i < page_count; i++)
		live[i] = take(0);
	for (i = 0; i < page_count; i++)
		give(live[permutation[i]], 0);
	return 2 * (int64_t)page_count;
}

int main(int argc, char **argv)
{
	char name = argc > 1 ? argv[1][0] : 'a';
	int64_t operations, done = 0;
	const int32_t length = argc > 5 ? atoi(argv[5]) : 1 << 20;
	double cpu, wall;
	int32_t i;
	page_count = argc > 2 ? atoi(argv[2]) : 262144;
	operations = argc > 3 ? atoll(argv[3]) : 1000000;
	x = (uint32_t)(argc > 4 ? atoi(argv[4]) : 1) * 0x9e3779b1;
	prepare_pages();
	if (name == 'c') {
		live = malloc(page_count * sizeof *live);
		permutation = malloc(page_count * sizeof *permutation);
		for (i = 0; i < page_count; i++)
			permutation[i] = i;
		for (i = page_count - 1; i > 0; i--) {
			int32_t j = random_below(i + 1), t = permutation[i];
			permutation[i] = permutation[j];
			permutation[j] = t;
		}
		fill_and_free();
	} else {
		make_trace(name == 'b' ? 9 : 0, length, name != 'd');
		if (name != 'n')
			replay(length);
	}
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	wall = seconds(CLOCK_MONOTONIC);
	while (done < operations)
		done += name == 'c' ? fill_and_free() : name == 'n' ? replay_nothing(length) : replay(length);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	printf("{\"operations\":%lld,\"cpu\":%.9f,\"wall\":%.9f,\"sink\":%d}\n", (long long)done, cpu, wall, live[0]);
	return 0;
}
