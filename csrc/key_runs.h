/* SPDX-License-Identifier: Apache-2.0
 *
 * key_runs.h: how the jobs of one curve are brought to an engine, by key. */
#ifndef ATT_KEY_RUNS_H
#define ATT_KEY_RUNS_H

#include "key_tables.h"
#include "sig.h"

#define ATT_MAX_LANES 8
#define ATT_LANES_CHUNK 64  /* jobs handed over together: they share an inversion of s. A multiple of every engine's lanes */

/* One curve in one engine. Numbers of signatures that pay are measured. */
typedef struct {
	uint32_t algorithm;
	uint32_t key_len;
	uint32_t format;   /* of its tables: no two curves of engines have the same */
	uint32_t lanes;
	uint32_t worth;    /* jobs of any key in a last group from which on lanes beat portable */
	uint32_t pays;     /* signatures that gain as much by tables as building for up to lanes keys costs */
	uint32_t alone;    /* what a signature counts that would be verified without others beside it */
	void (*init)(void);
	void (*verify_any)(att_sig_job *const *jobs, uint32_t num);  /* num <= ATT_LANES_CHUNK, all of this curve; sets the outcomes */
	void (*verify_known)(att_sig_job *const *jobs, const att_known_key *known, uint32_t num);
	uint32_t (*build_tables)(const uint8_t *const *keys, void *const *tables, uint32_t num);  /* num <= lanes; bits: those made */
} att_curve;

/* Sets the outcomes of all jobs of the curve's algorithm; tables may be NULL. */
void att_curve_run(const att_curve *curve, att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables);

#endif
