/* SPDX-License-Identifier: Apache-2.0
 *
 * key_runs.c: jobs of one curve, grouped by key, those with a table apart from those without. What decides which job is verified
 * with which table is the comparison of whole keys, in key_tables.c and again in the engine; all that is here only decides speed.
 * Public data only. */
#include "key_runs.h"

#include <string.h>

#define SLICE 65536       /* jobs that are grouped together */
#define MAX_CHAIN 8       /* keys of one bucket that are looked at: more have been chosen to be there, and stay apart */
#define NONE UINT32_MAX

/* What the words of a job hold while it is grouped: the array of jobs is its own hash table. */
enum {
	HEAD,   /* of bucket i, in job i: its first leader */
	CHAIN,  /* a leader's: the next of its bucket */
	NEXT,   /* the next job of the same key */
	LAST,   /* a leader's: the last job of its key */
	COUNT   /* a leader's: how many; 0 for others */
};

typedef struct {
	const att_curve *curve;
	att_key_tables *tables;
	att_sig_job *jobs;
	uint32_t num_jobs;   /* of the slice */
	uint32_t num_ours;   /* those of the curve */
	uint32_t num_any, num_known, num_waiting;
	uint32_t waiting_for;  /* signatures that the waiting keys bring */
	att_sig_job *any[ATT_LANES_CHUNK];
	att_sig_job *known[ATT_LANES_CHUNK];
	int32_t slot[ATT_LANES_CHUNK];      /* pinned, of each known */
	uint32_t waiting[ATT_MAX_LANES];    /* leaders whose keys have no table yet */
} run;

/* ---- jobs to the engine -------------------------------------------------------------------------------------------------- */

/* A last group of very few jobs would cost as much as a whole one: those are portable's. */
static void flush_any(run *r) {
	const uint32_t rest = r->num_any % r->curve->lanes;
	const uint32_t in_lanes = rest < r->curve->worth ? r->num_any - rest : r->num_any;
	r->curve->verify_any(r->any, in_lanes);
	for (uint32_t i = in_lanes; i < r->num_any; i++) {
		att_engine_portable.run(r->any[i], 1, NULL);
	}
	r->num_any = 0;
}

static void flush_known(run *r) {
	att_known_key known[ATT_LANES_CHUNK];
	for (uint32_t i = 0; i < r->num_known; i++) {
		known[i] = att_key_known(r->tables, r->slot[i]);
	}
	r->curve->verify_known(r->known, known, r->num_known);
	for (uint32_t i = 0; i < r->num_known; i++) {
		att_key_unpin(r->tables, r->slot[i]);
	}
	r->num_known = 0;
}

static void send_any(run *r, att_sig_job *job) {
	r->any[r->num_any++] = job;
	if (r->num_any == ATT_LANES_CHUNK) {
		flush_any(r);
	}
}

/* All jobs of a leader's key; slot: where its table is, or -1. */
static void send_key(run *r, uint32_t leader, int32_t slot) {
	for (uint32_t i = leader; i != NONE; i = r->jobs[i].work[NEXT]) {
		if (slot < 0) {
			send_any(r, &r->jobs[i]);
			continue;
		}
		att_key_pin(r->tables, slot);
		r->slot[r->num_known] = slot;
		r->known[r->num_known++] = &r->jobs[i];
		if (r->num_known == ATT_LANES_CHUNK) {
			flush_known(r);
		}
	}
}

/* ---- by key -------------------------------------------------------------------------------------------------------------- */

static bool has_key(const run *r, const att_sig_job *job) { return job->key != NULL && job->key_len == r->curve->key_len; }

static bool same_key(const run *r, const att_sig_job *a, const att_sig_job *b) {
	return a->key == b->key || memcmp(a->key, b->key, r->curve->key_len) == 0;
}

/* The leader of this job's key, itself when there is none yet. */
static uint32_t leader_of(run *r, uint32_t job) {
	const uint64_t hash = att_key_hash(r->tables, r->curve->format, r->jobs[job].key, r->curve->key_len);
	uint32_t *head = &r->jobs[(hash & UINT32_MAX) * r->num_jobs >> 32].work[HEAD];
	uint32_t looked_at = 0;
	for (uint32_t i = *head; i != NONE && looked_at < MAX_CHAIN; i = r->jobs[i].work[CHAIN], looked_at++) {
		if (same_key(r, &r->jobs[job], &r->jobs[i])) {
			return i;
		}
	}
	r->jobs[job].work[CHAIN] = *head;
	*head = job;
	return job;
}

static void group_by_key(run *r) {
	uint32_t leader = NONE;
	for (uint32_t i = 0; i < r->num_jobs; i++) {
		r->jobs[i].work[HEAD] = NONE;
		r->jobs[i].work[NEXT] = NONE;
		r->jobs[i].work[COUNT] = 0;
	}
	for (uint32_t i = 0; i < r->num_jobs; i++) {
		if (r->jobs[i].algorithm != r->curve->algorithm) {
			continue;
		}
		r->num_ours++;
		if (!has_key(r, &r->jobs[i])) {
			send_any(r, &r->jobs[i]);
			continue;
		}
		if (leader == NONE || r->jobs[leader].key != r->jobs[i].key) {
			leader = leader_of(r, i);
		}
		if (leader != i) {
			r->jobs[r->jobs[leader].work[LAST]].work[NEXT] = i;
		}
		r->jobs[leader].work[LAST] = i;
		r->jobs[leader].work[COUNT]++;
	}
}

/* ---- tables -------------------------------------------------------------------------------------------------------------- */

/* Slots for the waiting keys, built; -1 where there is none. */
static void build_waiting(run *r, int32_t *slot) {
	const uint8_t *keys[ATT_MAX_LANES];
	void *memory[ATT_MAX_LANES];
	uint32_t which[ATT_MAX_LANES], num = 0;
	for (uint32_t w = 0; w < r->num_waiting; w++) {
		const uint8_t *key = r->jobs[r->waiting[w]].key;
		const uint64_t hash = att_key_hash(r->tables, r->curve->format, key, r->curve->key_len);
		slot[w] = att_key_claim(r->tables, hash, r->curve->format, key, r->curve->key_len);
		if (slot[w] >= 0) {
			keys[num] = att_key_known(r->tables, slot[w]).key;  /* the slot's own copy, which does not change */
			memory[num] = att_key_memory(r->tables, slot[w]);
			which[num++] = w;
		}
	}
	const uint32_t made = num != 0 ? r->curve->build_tables(keys, memory, num) : 0;
	for (uint32_t i = 0; i < num; i++) {
		const bool good = (made >> i & 1) != 0;
		att_key_publish(r->tables, slot[which[i]], good);
		slot[which[i]] = good ? slot[which[i]] : -1;
	}
}

/* Keys are built together, when what they bring together pays for it. */
static void flush_waiting(run *r) {
	int32_t slot[ATT_MAX_LANES];
	const bool pays = r->waiting_for >= r->curve->pays;
	if (pays) {
		build_waiting(r, slot);
	}
	for (uint32_t w = 0; w < r->num_waiting; w++) {
		send_key(r, r->waiting[w], pays ? slot[w] : -1);
		if (pays && slot[w] >= 0) {
			att_key_unpin(r->tables, slot[w]);
		}
	}
	r->num_waiting = 0;
	r->waiting_for = 0;
}

static void run_key(run *r, uint32_t leader) {
	const att_sig_job *job = &r->jobs[leader];
	const uint64_t hash = att_key_hash(r->tables, r->curve->format, job->key, r->curve->key_len);
	const int32_t slot = att_key_find(r->tables, hash, r->curve->format, job->key, r->curve->key_len);
	if (slot >= 0) {
		send_key(r, leader, slot);
		att_key_unpin(r->tables, slot);
		return;
	}
	const uint32_t each = r->num_ours < r->curve->worth ? r->curve->alone : 1;
	const uint32_t seen = att_key_seen(r->tables, hash, each * job->work[COUNT]);
	if (seen <= each) {
		send_key(r, leader, -1);  /* for the first time */
		return;
	}
	r->waiting[r->num_waiting++] = leader;
	r->waiting_for += seen;
	if (r->num_waiting == r->curve->lanes) {
		flush_waiting(r);
	}
}

static void run_slice(run *r) {
	group_by_key(r);
	for (uint32_t i = 0; i < r->num_jobs; i++) {
		if (r->jobs[i].algorithm == r->curve->algorithm && r->jobs[i].work[COUNT] != 0) {
			run_key(r, i);
		}
	}
	flush_waiting(r);
	flush_known(r);
}

static void run_without_tables(run *r, uint64_t num_jobs) {
	for (uint64_t i = 0; i < num_jobs; i++) {
		if (r->jobs[i].algorithm == r->curve->algorithm) {
			send_any(r, &r->jobs[i]);
		}
	}
}

void att_curve_run(const att_curve *curve, att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables) {
	run r;
	r.curve = curve;
	r.tables = tables;
	r.jobs = jobs;
	r.num_any = r.num_known = r.num_waiting = r.waiting_for = r.num_ours = 0;
	if (tables == NULL) {
		run_without_tables(&r, num_jobs);
	}
	for (uint64_t first = 0; tables != NULL && first < num_jobs; first += SLICE) {
		r.jobs = jobs + first;
		r.num_jobs = num_jobs - first < SLICE ? (uint32_t)(num_jobs - first) : SLICE;
		r.num_ours = 0;
		run_slice(&r);
	}
	flush_any(&r);
}
