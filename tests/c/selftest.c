/* SPDX-License-Identifier: Apache-2.0
 *
 * selftest.c: the C core against a file of known answers, without Python: for other CPUs, other sizes of limb, and sanitizers.
 * tests/core/test_cross_cpu.py writes the file, builds this with csrc/ *.c and runs it, natively or under qemu. Lines:
 *   hash 256|384|512 MESSAGE DIGEST
 *   sig ALGORITHM EXPONENT VALID KEY DIGEST SIGNATURE NAME
 * with bytes in hex, "-" for none. Prints one line a kind of test with the count, exits 1 at the first difference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest.h"
#include "sha2.h"

#define MAX_LINE 65536
#define MAX_JOBS 16384

typedef struct {
	uint8_t *bytes;  /* exactly len bytes of heap, so that a sanitizer sees each step beyond them; NULL when there are none */
	size_t len;
} blob;

static void stop(const char *what, const char *where) {
	printf("FAILED: %s: %s\n", what, where);
	exit(1);
}

static blob from_hex(const char *hex) {
	blob out = {NULL, 0};
	if (hex == NULL) {
		stop("a field is missing", "vector file");
	}
	if (strcmp(hex, "-") == 0) {
		return out;
	}
	out.len = strlen(hex) / 2;
	out.bytes = malloc(out.len);
	for (size_t i = 0; i < out.len; i++) {
		unsigned byte;
		if (out.bytes == NULL || sscanf(hex + 2 * i, "%2x", &byte) != 1) {
			stop("not hex", hex);
		}
		out.bytes[i] = (uint8_t)byte;
	}
	return out;
}

static long number(void) {
	const char *text = strtok(NULL, " \n");
	if (text == NULL) {
		stop("a number is missing", "vector file");
	}
	return strtol(text, NULL, 10);
}

/* The message in every lane but one, for a group of every size. */
static void check_many(blob message, blob expected) {
	static const uint8_t zeros[MAX_LINE];
	const uint8_t *at[11];
	uint8_t out[11 * 48], other[48];
	att_sha384(zeros, message.len, other);
	for (uint64_t n = 1; n <= 11; n++) {
		for (uint64_t i = 0; i < n; i++) {
			at[i] = i == n / 2 ? zeros : message.bytes;
		}
		memset(out, 0, sizeof out);
		att_sha384_many(at, message.len, n, out);
		for (uint64_t i = 0; i < n; i++) {
			if (memcmp(out + 48 * i, i == n / 2 ? other : expected.bytes, 48) != 0) {
				stop("wrong digest", "hash of many messages");
			}
		}
	}
}

static void check_hash(void) {
	const long bits = number();
	blob message = from_hex(strtok(NULL, " \n"));
	blob expected = from_hex(strtok(NULL, " \n"));
	uint8_t out[64];
	if (bits == 256) {
		att_sha256(message.bytes, message.len, out);
	} else if (bits == 384) {
		att_sha384(message.bytes, message.len, out);
	} else {
		att_sha512(message.bytes, message.len, out);
	}
	if (expected.len != (size_t)bits / 8 || memcmp(out, expected.bytes, expected.len) != 0) {
		printf("SHA-%ld of %lu bytes\n", bits, (unsigned long)message.len);
		stop("wrong digest", "hash");
	}
	if (bits == 384) {
		check_many(message, expected);
	}
	free(message.bytes);
	free(expected.bytes);
}

static att_sig_job jobs[MAX_JOBS];
static uint8_t expected[MAX_JOBS];
static char *names[MAX_JOBS];
static uint32_t num_jobs;

static void take_job(void) {
	att_sig_job *job = &jobs[num_jobs];
	if (num_jobs == MAX_JOBS) {
		stop("too many jobs", "vector file");
	}
	job->algorithm = (uint8_t)number();
	job->exponent = (uint32_t)strtoul(strtok(NULL, " \n"), NULL, 10);
	expected[num_jobs] = number() == 1 ? ATT_SIG_VALID : ATT_SIG_INVALID;
	const blob key = from_hex(strtok(NULL, " \n"));
	const blob digest = from_hex(strtok(NULL, " \n"));
	const blob sig = from_hex(strtok(NULL, " \n"));
	const char *name = strtok(NULL, " \n");
	if (name == NULL || digest.len > sizeof job->digest) {
		stop("a job has no name, or its digest is too long", "vector file");
	}
	job->key = key.bytes;
	job->key_len = (uint16_t)key.len;
	job->sig = sig.bytes;
	job->sig_len = (uint16_t)sig.len;
	job->digest_len = (uint16_t)digest.len;
	if (digest.len != 0) {
		memcpy(job->digest, digest.bytes, digest.len);
	}
	free(digest.bytes);
	names[num_jobs] = malloc(strlen(name) + 1);
	if (names[num_jobs] == NULL) {
		stop("no memory", name);
	}
	strcpy(names[num_jobs++], name);
}

static unsigned read_vectors(const char *name) {
	static char line[MAX_LINE];
	unsigned hashes = 0;
	FILE *in = fopen(name, "r");
	if (in == NULL) {
		stop("cannot read", name);
	}
	while (fgets(line, sizeof line, in) != NULL) {
		const char *kind = strtok(line, " \n");
		if (kind != NULL && strcmp(kind, "hash") == 0) {
			check_hash();
			hashes++;
		} else if (kind != NULL && strcmp(kind, "sig") == 0) {
			take_job();
		} else {
			stop("unknown line", kind != NULL ? kind : "");
		}
	}
	fclose(in);
	return hashes;
}

static void start(void) {
	const int32_t step = att_init();
	printf("%s, %lu-bit pointers, first byte of 1 is %u\n", att_build(), (unsigned long)(8 * sizeof(void *)), *(const uint8_t *)&(uint16_t){1});
	if (step != 0 || att_init() != 0) {
		printf("step %d\n", (int)step);
		stop("self-test at start", "att_init");
	}
}

static void free_jobs(void) {
	for (uint32_t i = 0; i < num_jobs; i++) {
		free((void *)(uintptr_t)jobs[i].key);
		free((void *)(uintptr_t)jobs[i].sig);
		free(names[i]);
	}
}

#ifndef SELFTEST_PARTS  /* what follows is this program's alone, what is above serves threads.c as well */

static att_key_tables *tables;

/* Whether tables of keys are kept: not at all, as much as memory holds, or so little that keys push each other out. */
static void make_tables(const char *kept) {
	static uint8_t memory[64 * 20800];
	static const uint8_t seed[16] = {7};
	const uint64_t len = strcmp(kept, "many") == 0 ? sizeof memory : 2 * att_key_tables_least();
	tables = strcmp(kept, "no") == 0 ? NULL : att_key_tables_init(memory, len, seed);
	if (tables == NULL && strcmp(kept, "no") != 0) {
		stop("tables", kept);
	}
}

static att_sig_job chosen[MAX_JOBS];
static uint32_t from[MAX_JOBS];

/* With tables, the jobs of curves; else all. Returns how many. */
static uint32_t choose_jobs(void) {
	uint32_t num = 0;
	for (uint32_t i = 0; i < num_jobs; i++) {
		if (tables == NULL || jobs[i].algorithm <= ATT_ECDSA_P384) {
			chosen[num] = jobs[i];
			from[num++] = i;
		}
	}
	return num;
}

static void run_and_compare(uint32_t engine, uint32_t first, uint32_t num) {
	for (uint32_t i = first; i < first + num; i++) {
		chosen[i].outcome = ATT_SIG_NOT_RUN;
	}
	if (att_sig_run(engine, chosen + first, num, tables) != 0) {
		stop("engine does not run", att_engine_name(engine));
	}
	for (uint32_t i = first; i < first + num; i++) {
		if (chosen[i].outcome != expected[from[i]]) {
			stop(num == 1 ? "alone" : att_engine_name(engine), names[from[i]]);
		}
	}
}

/* All jobs at once, again when the keys have their tables, then some alone: an outcome depends on neither neighbours nor tables. */
static void check_engine(uint32_t engine, const char *kept) {
	uint32_t valid = 0, alone = 0;
	att_key_stats stats = {0};
	make_tables(kept);
	const uint32_t num = choose_jobs();
	for (int turn = 0; turn < (strcmp(kept, "many") == 0 ? 2 : 1); turn++) {
		run_and_compare(engine, 0, num);
	}
	for (uint32_t i = 0; i < num; i++) {
		valid += expected[from[i]] == ATT_SIG_VALID;
	}
	for (uint32_t i = 0; i < num; i += 37, alone++) {
		for (int turn = 0; turn < (tables != NULL ? 4 : 1); turn++) {
			run_and_compare(engine, i, 1);
		}
	}
	if (tables != NULL) {
		att_key_tables_stats(tables, &stats);
		if (stats.builds == 0 || stats.hits == 0 || (strcmp(kept, "few") == 0 && stats.evictions == 0)) {
			stop("tables were not used", kept);
		}
	}
	printf("engine %s: %u signatures, %u valid, %u again alone, %s tables\n", att_engine_name(engine), num, valid, alone, kept);
}

int main(int argc, char **argv) {
	unsigned engines = 0;
	if (argc != 2) {
		stop("usage: selftest FILE", "");
	}
	start();
	const unsigned hashes = read_vectors(argv[1]);
	printf("hashes: %u\n", hashes);
	for (uint32_t engine = 0; att_engine_name(engine) != NULL; engine++) {
		if (att_engine_usable(engine) != 0) {
			check_engine(engine, "no");
			check_engine(engine, "many");
			check_engine(engine, "few");
			engines++;
		}
	}
	free_jobs();
	if (hashes == 0 || num_jobs == 0 || engines == 0) {
		stop("nothing was tested", "vector file");
	}
	printf("ok\n");
	return 0;
}
#endif
