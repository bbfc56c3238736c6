/* SPDX-License-Identifier: Apache-2.0
 *
 * threads.c: several threads, all engines, one small att_key_tables whose keys push each other out all the time: every outcome must
 * be what selftest.c's file says. tests/core/test_cross_cpu.py builds it with a thread sanitizer as well.
 *
 *   threads FILE ROUNDS     rounds of each thread */
#include <pthread.h>

#define SELFTEST_PARTS
#include "selftest.c"

enum { THREADS = 4, MAX_RUN = 40 };

static att_key_tables *shared;
static unsigned rounds;

static uint32_t next_random(uint32_t *state) {
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static uint32_t random_engine(uint32_t *state) {
	uint32_t num = 0, engine;
	while (att_engine_name(num) != NULL) {
		num++;
	}
	do {
		engine = next_random(state) % num;
	} while (att_engine_usable(engine) == 0);
	return engine;
}

/* Runs of neighbours and of one job repeated, half of them from the same few places: keys come in some number, and again. */
static void *work(void *seed) {
	uint32_t state = *(const uint32_t *)seed;
	for (unsigned round = 0; round < rounds; round++) {
		att_sig_job mine[MAX_RUN];
		uint32_t from[MAX_RUN];
		const uint32_t num = 1 + next_random(&state) % MAX_RUN;
		const uint32_t first = next_random(&state) % (next_random(&state) % 2 == 0 ? 3 : num_jobs);
		const uint32_t spread = 1 + next_random(&state) % 4;
		for (uint32_t i = 0; i < num; i++) {
			from[i] = (first + next_random(&state) % spread) % num_jobs;
			mine[i] = jobs[from[i]];
		}
		if (att_sig_run(random_engine(&state), mine, num, shared) != 0) {
			stop("engine does not run", "thread");
		}
		for (uint32_t i = 0; i < num; i++) {
			if (mine[i].outcome != expected[from[i]]) {
				stop("thread", names[from[i]]);
			}
		}
	}
	return NULL;
}

int main(int argc, char **argv) {
	static uint8_t memory[4 * 20800];
	static const uint8_t seed[16] = {9};
	static uint32_t seeds[THREADS];
	pthread_t thread[THREADS];
	att_key_stats stats;
	if (argc != 3) {
		stop("usage: threads FILE ROUNDS", "");
	}
	start();
	read_vectors(argv[1]);
	rounds = (unsigned)strtoul(argv[2], NULL, 10);
	shared = att_key_tables_init(memory, sizeof memory, seed);
	if (shared == NULL || num_jobs == 0) {
		stop("nothing to test", argv[1]);
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		seeds[i] = i + 1;
		if (pthread_create(&thread[i], NULL, work, &seeds[i]) != 0) {
			stop("pthread_create", "");
		}
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
	}
	att_key_tables_stats(shared, &stats);
	printf("slots %u, hits %u, builds %u, evictions %u\n", stats.slots, stats.hits, stats.builds, stats.evictions);
	if (stats.hits == 0 || stats.builds == 0 || stats.evictions == 0) {
		stop("tables were not used", "");
	}
	free_jobs();
	printf("ok\n");
	return 0;
}
