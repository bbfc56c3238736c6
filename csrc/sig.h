/* SPDX-License-Identifier: Apache-2.0
 *
 * sig.h: what engines and their callers share inside the core. Verification handles public data only: variable time is allowed
 * everywhere behind this header, and nothing here may ever be used to sign. */
#ifndef ATT_SIG_H
#define ATT_SIG_H

#include <stdbool.h>

#include "attest.h"

/* One engine: run sets the outcome of each job, with tables of keys or without (NULL); usable is asked once, by att_init, and
 * makes what the engine needs at run time. */
typedef struct {
	const char *name;
	uint32_t lanes;
	bool (*usable)(void);
	void (*run)(att_sig_job *jobs, uint64_t num_jobs, att_key_tables *tables);
} att_sig_engine;

extern const att_sig_engine att_engine_ifma8;
extern const att_sig_engine att_engine_avx2x4;
extern const att_sig_engine att_engine_portable;

/* True when X || Y (big-endian) is a point of the curve of algorithm (ATT_ECDSA_P256 or _P384) with both coordinates below p. */
bool att_ec_on_curve(uint32_t algorithm, const uint8_t *xy);

/* Group order n as big-endian bytes, 32 or 48: for range checks outside the engines. */
const uint8_t *att_ec_order(uint32_t algorithm);

#endif
