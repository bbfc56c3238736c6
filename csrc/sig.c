/* SPDX-License-Identifier: Apache-2.0
 *
 * sig.c: the engines, best first, their start with self-tests, and the ways in: jobs, and plain columns. */
#include <string.h>

#include "cpu.h"
#include "ec.h"
#include "sha2.h"
#include "sig_kat.h"

static const att_sig_engine *const engines[] = {
	&att_engine_ifma8,
	&att_engine_avx2x4,
	&att_engine_portable,
};

#define NUM_ENGINES ((uint32_t)(sizeof engines / sizeof *engines))

static bool started;               /* all written by att_init alone */
static bool usable[NUM_ENGINES];
static int32_t failed_step;
static uint8_t test_memory[65536];

/* ---- start --------------------------------------------------------------------------------------------------------------- */

/* Of the eight jobs of a known answer the first and the last are valid. */
static bool expected(const att_sig_job *jobs) {
	for (int i = 0; i < 8; i++) {
		if (jobs[i].outcome != (i == 0 || i == 7 ? ATT_SIG_VALID : ATT_SIG_INVALID)) {
			return false;
		}
	}
	return true;
}

static bool outcomes_ok(const att_sig_engine *engine, att_sig_job *jobs) {
	engine->run(jobs, 8, NULL);
	return expected(jobs);
}

/* The same until the key has earned its table, then by it, then one by one. */
static bool outcomes_ok_with_tables(const att_sig_engine *engine, att_sig_job *jobs) {
	static const uint8_t seed[16];
	att_key_tables *tables = att_key_tables_init(test_memory, sizeof test_memory, seed);
	att_key_stats stats;
	stats.hits = 0;
	for (int turn = 0; tables != NULL && turn < 8 && stats.hits < 2; turn++) {
		engine->run(jobs, 8, tables);
		if (!expected(jobs)) {
			return false;
		}
		att_key_tables_stats(tables, &stats);
	}
	for (int i = 0; i < 8; i++) {
		jobs[i].outcome = ATT_SIG_NOT_RUN;
		engine->run(&jobs[i], 1, tables);
	}
	return stats.hits >= 2 && expected(jobs);
}

/* One known answer: the signature is valid; with a bit of digest, signature or key changed, with r or s (RSA: the whole) zero, or cut
 * short, it is not. All in one run, so that engines with lanes have some of both kinds side by side. */
static bool answers_ok(const att_sig_engine *engine, const known_answer *kat) {
	uint8_t keys[2][512], sigs[4][512];
	att_sig_job good = {0}, jobs[8];
	memcpy(keys[0], kat->key, kat->key_len);
	memcpy(keys[1], kat->key, kat->key_len);
	keys[1][kat->key_len / 2 - 1] ^= 0x04;
	for (int i = 0; i < 4; i++) {
		memcpy(sigs[i], kat->sig, kat->sig_len);
	}
	sigs[1][kat->sig_len - 1] ^= 0x01;
	memset(sigs[2], 0, kat->sig_len / 2);
	memset(sigs[3] + kat->sig_len / 2, 0, kat->sig_len - kat->sig_len / 2);
	good.algorithm = kat->algorithm;
	good.key = keys[0];
	good.sig = sigs[0];
	good.key_len = kat->key_len;
	good.sig_len = kat->sig_len;
	good.digest_len = kat->digest_len;
	good.exponent = kat->exponent;
	memcpy(good.digest, kat->digest, kat->digest_len);
	for (int i = 0; i < 8; i++) {
		jobs[i] = good;
	}
	jobs[1].sig = sigs[1];
	jobs[2].sig = sigs[2];
	jobs[3].sig = sigs[3];
	jobs[4].key = keys[1];
	jobs[5].digest[kat->digest_len - 1] ^= 0x80;
	jobs[6].sig_len--;
	return outcomes_ok(engine, jobs) && (kat->algorithm > ATT_ECDSA_P384 || outcomes_ok_with_tables(engine, jobs));
}

/* Steps: 1 hashes; 10 * (engine + 1) + number of the known answer. */
int32_t att_init(void) {
	if (started) {
		return failed_step;
	}
	att_cpu_init();
	att_ec_init();
	failed_step = att_sha_start() ? 0 : 1;
	for (uint32_t e = 0; e < NUM_ENGINES; e++) {
		usable[e] = failed_step != 1 && engines[e]->usable();
		for (uint32_t k = 0; usable[e] && k < NUM_KNOWN_ANSWERS; k++) {
			if (!answers_ok(engines[e], &known_answers[k])) {
				usable[e] = false;
				failed_step = failed_step != 0 ? failed_step : (int32_t)(10 * (e + 1) + k);
			}
		}
	}
	started = true;
	return failed_step;
}

/* ---- engines ------------------------------------------------------------------------------------------------------------- */

const char *att_engine_name(uint32_t engine) { return engine < NUM_ENGINES ? engines[engine]->name : NULL; }

uint32_t att_engine_lanes(uint32_t engine) { return engine < NUM_ENGINES ? engines[engine]->lanes : 0; }

int32_t att_engine_usable(uint32_t engine) { return engine < NUM_ENGINES && usable[engine] ? 1 : 0; }

int32_t att_sig_run(uint32_t engine, att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	if (att_engine_usable(engine) == 0) {
		return -1;
	}
	engines[engine]->run(jobs, num_jobs, tables);
	return 0;
}

/* ---- columns ------------------------------------------------------------------------------------------------------------- */

/* Signatures that differ in key (key_stride bytes apart; 0: one for all), digest and signature; like tells the rest. */
typedef struct {
	att_sig_job like;
	const uint8_t *keys;
	uint64_t key_stride;
	const uint8_t *digests;
	const uint8_t *sigs;
	uint8_t *out;
} sig_columns;

static int32_t verify_columns(uint32_t engine, const sig_columns *c, uint64_t n, att_key_tables *tables, att_sig_job *jobs,
                              uint64_t num_jobs) {
	if (att_engine_usable(engine) == 0 || num_jobs == 0) {
		return -1;
	}
	for (uint64_t done = 0; done < n;) {
		const uint64_t num = n - done < num_jobs ? n - done : num_jobs;
		for (uint64_t i = 0; i < num; i++) {
			jobs[i] = c->like;
			jobs[i].key = c->keys + (done + i) * c->key_stride;
			jobs[i].sig = c->sigs + (done + i) * c->like.sig_len;
			memcpy(jobs[i].digest, c->digests + (done + i) * c->like.digest_len, c->like.digest_len);
		}
		engines[engine]->run(jobs, num, tables);
		for (uint64_t i = 0; i < num; i++) {
			c->out[done + i] = jobs[i].outcome == ATT_SIG_VALID ? 1 : 0;
		}
		done += num;
	}
	return 0;
}

int32_t att_verify_ecdsa(uint32_t engine, uint32_t algorithm, const uint8_t *keys, const uint8_t *digests, const uint8_t *sigs,
                         uint64_t n, att_key_tables *tables, att_sig_job *jobs, uint64_t num_jobs, uint8_t *out) {
	sig_columns c = {{0}, keys, 0, digests, sigs, out};
	if (algorithm != ATT_ECDSA_P256 && algorithm != ATT_ECDSA_P384) {
		return -1;
	}
	const uint16_t len = algorithm == ATT_ECDSA_P256 ? 32 : 48;
	c.like.algorithm = (uint8_t)algorithm;
	c.like.key_len = (uint16_t)(2 * len);
	c.like.sig_len = (uint16_t)(2 * len);
	c.like.digest_len = len;
	c.key_stride = c.like.key_len;
	return verify_columns(engine, &c, n, tables, jobs, num_jobs);
}

#define RSA_CHUNK 64  /* jobs on the stack */

int32_t att_verify_rsa(uint32_t engine, uint32_t algorithm, const uint8_t *modulus, uint64_t modulus_len, uint32_t exponent,
                       const uint8_t *digests, const uint8_t *sigs, uint64_t n, uint8_t *out) {
	sig_columns c = {{0}, modulus, 0, digests, sigs, out};
	att_sig_job jobs[RSA_CHUNK];
	if (algorithm < ATT_RSA_PSS_SHA256 || algorithm > ATT_RSA_PKCS1_SHA384 || modulus_len < 256 || modulus_len > 512) {
		return -1;
	}
	c.like.algorithm = (uint8_t)algorithm;
	c.like.key_len = (uint16_t)modulus_len;
	c.like.sig_len = (uint16_t)modulus_len;
	c.like.digest_len = algorithm == ATT_RSA_PSS_SHA256 || algorithm == ATT_RSA_PKCS1_SHA256 ? 32 : 48;
	c.like.exponent = exponent;
	return verify_columns(engine, &c, n, NULL, jobs, RSA_CHUNK);
}
