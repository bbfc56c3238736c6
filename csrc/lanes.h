/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes.h: the engines that verify several signatures at once, one in each lane of a vector register. How it fits together:
 *   lanes_ops_*.h     vector operations: of a CPU, or the same in plain C
 *   lanes_field*.h    field elements and products, by those operations, for limbs of 52 or 28 bits
 *   lanes_curve.h     group law and ECDSA, by field elements alone
 *   lanes_p*_*.c      one curve in one engine: its constants, and the above included
 *   lanes_rsa.h       RSA, by vector operations; included by lanes_rsa_*.c
 *   lanes.c           which job goes where
 *   lanes_ifma8.c, lanes_avx2x4.c  the engines
 * Public data only, variable time (sig.h). */
#ifndef ATT_LANES_H
#define ATT_LANES_H

#include "sig.h"

/* Whether this build has these engines: with vector instructions, or emulated for tests. */
#if defined(ATT_LANES_EMULATED) || (defined(__x86_64__) && defined(__GNUC__))
#define ATT_LANES_IFMA8 1
#define ATT_LANES_AVX2X4 1
#else
#define ATT_LANES_IFMA8 0
#define ATT_LANES_AVX2X4 0
#endif

/* Jobs handed over together: they share an inversion of s. A multiple of every engine's lanes. */
#define ATT_LANES_CHUNK 64

typedef struct {
	uint32_t lanes;
	uint32_t worth;                                          /* jobs in a group from which on lanes beat portable, measured */
	void (*init)(void);                                      /* builds the table of the generator; before verify */
	void (*verify)(att_sig_job *const *jobs, uint32_t num);  /* num <= ATT_LANES_CHUNK, all of this curve; sets the outcomes */
} att_lanes_curve;

/* Sets the outcomes of all jobs but those of the two curves: RSA in lanes. */
typedef void (*att_lanes_rsa)(att_sig_job *jobs, uint64_t num_jobs);

/* Sets the outcomes of all jobs. */
void att_lanes_run(const att_lanes_curve *p256, const att_lanes_curve *p384, att_lanes_rsa rsa, att_sig_job *jobs,
                   uint64_t num_jobs);

#if ATT_LANES_IFMA8
extern const att_lanes_curve att_lanes_p256_ifma8;
extern const att_lanes_curve att_lanes_p384_ifma8;
void att_lanes_rsa_ifma8(att_sig_job *jobs, uint64_t num_jobs);
#endif
#if ATT_LANES_AVX2X4
extern const att_lanes_curve att_lanes_p256_avx2x4;
extern const att_lanes_curve att_lanes_p384_avx2x4;
void att_lanes_rsa_avx2x4(att_sig_job *jobs, uint64_t num_jobs);
#endif

#endif
