/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes.h: the engines that verify several signatures at once, one in each lane of a vector register. How it fits together:
 *   lanes_ops_*.h     vector operations: of a CPU, or the same in plain C
 *   lanes_field*.h    field elements and products, by those operations, for limbs of 52 or 28 bits
 *   lanes_point.h     group law and inverses, by field elements alone
 *   lanes_comb.h      combs: the generator's, and those of known keys
 *   lanes_curve.h     ECDSA
 *   lanes_p*_*.c      one curve in one engine: its constants, and the above included
 *   lanes_rsa.h       RSA, by vector operations; included by lanes_rsa_*.c
 *   key_runs.c        jobs by key, with a table or without
 *   lanes.c           which job goes where
 *   lanes_ifma8.c, lanes_avx2x4.c  the engines
 * Public data only, variable time (sig.h). */
#ifndef ATT_LANES_H
#define ATT_LANES_H

#include "key_runs.h"

/* Whether this build has these engines: with vector instructions, or emulated for tests. */
#if defined(ATT_LANES_EMULATED) || (defined(__x86_64__) && defined(__GNUC__))
#define ATT_LANES_IFMA8 1
#define ATT_LANES_AVX2X4 1
#else
#define ATT_LANES_IFMA8 0
#define ATT_LANES_AVX2X4 0
#endif

/* Sets the outcomes of all jobs but those of the two curves: RSA in lanes. */
typedef void (*att_lanes_rsa)(att_sig_job *jobs, uint64_t num_jobs);

/* Sets the outcomes of all jobs. */
void att_lanes_run(const att_curve *p256, const att_curve *p384, att_lanes_rsa rsa, att_sig_job *jobs, uint64_t num_jobs,
                   att_key_tables *tables);

#if ATT_LANES_IFMA8
extern const att_curve att_lanes_p256_ifma8;
extern const att_curve att_lanes_p384_ifma8;
void att_lanes_rsa_ifma8(att_sig_job *jobs, uint64_t num_jobs);
#endif
#if ATT_LANES_AVX2X4
extern const att_curve att_lanes_p256_avx2x4;
extern const att_curve att_lanes_p384_avx2x4;
void att_lanes_rsa_avx2x4(att_sig_job *jobs, uint64_t num_jobs);
#endif

#endif
