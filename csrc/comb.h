/* SPDX-License-Identifier: Apache-2.0
 *
 * comb.h: the shape of the signed combs of all engines, and their columns (docs/design/0002-key-tables.md). Included after
 * CURVE_BITS is known. Public data only: memory access depends on the data.
 *
 * A comb has t teeth, v sub-tables and c columns a sub-table, t v c bits in all. Column i of sub-table m takes the bits
 * (k v + m) c + i of each tooth k < t; a bit is a sign. Entry e of sub-table m is 2^(m c) times (the sum of +-2^(k v c) over
 * k < t - 1, + where bit k of e is 1, and 2^((t-1) v c)) times the point; entries of sub-table m stand at m 2^(t-1) and after. */
#ifndef ATT_COMB_H
#define ATT_COMB_H

#include <stdint.h>

#define COMB_CHAIN (CURVE_BITS == 384 ? 13 : 9)  /* c */
#define Q_TEETH 6
#define Q_TABLES 5
#define G_TEETH 10
#define G_TABLES 3
#define SUB_TABLES (Q_TABLES + G_TABLES)
#define COMB_ENTRIES(teeth, tables) ((tables) << ((teeth) - 1))
#define COMB_MAX_TABLES (Q_TABLES > G_TABLES ? Q_TABLES : G_TABLES)
#define COMB_SLICE 32  /* points that share an inversion when a comb is built */
#define COMB_NEGATIVE 0x8000

_Static_assert(Q_TEETH * Q_TABLES * COMB_CHAIN >= CURVE_BITS + 3 && G_TEETH * G_TABLES * COMB_CHAIN >= CURVE_BITS + 3,
               "combs hold a scalar plus n, and a bit that is set");
_Static_assert(Q_TEETH * Q_TABLES <= COMB_SLICE && G_TEETH * G_TABLES <= COMB_SLICE, "bases are one slice");
_Static_assert(COMB_CHAIN <= 16 && G_TEETH <= 15, "columns are made of 16-bit words");

/* Bit i of byte k of the result is bit k of byte i of x. */
static inline uint64_t comb_transpose(uint64_t x) {
	uint64_t t = (x ^ x >> 7) & UINT64_C(0x00aa00aa00aa00aa);
	x ^= t ^ t << 7;
	t = (x ^ x >> 14) & UINT64_C(0x0000cccc0000cccc);
	x ^= t ^ t << 14;
	t = (x ^ x >> 28) & UINT64_C(0x00000000f0f0f0f0);
	return x ^ t ^ t << 28;
}

/* The entry that each column of one sub-table takes, COMB_NEGATIVE with it where that is to be taken off; columns lie step apart.
 * tooth[k] are the sub-table's bits of tooth k; the last tooth is the sign of the whole. Those of 16 that a comb has not are 0. */
static inline void comb_columns(uint16_t *out, uint32_t step, const uint32_t tooth[16], uint32_t teeth) {
	uint32_t pattern[16] = {0};
	const uint32_t top = 1u << (teeth - 1);
	for (uint32_t k = 0; k < teeth; k += 8) {
		for (uint32_t i = 0; i < COMB_CHAIN; i += 8) {
			uint64_t square = 0;
			for (uint32_t j = 0; j < 8; j++) {
				square |= (uint64_t)(tooth[k + j] >> i & 0xff) << (8 * j);
			}
			square = comb_transpose(square);
			for (uint32_t j = 0; j < 8; j++) {
				pattern[i + j] |= (uint32_t)(square >> (8 * j) & 0xff) << k;
			}
		}
	}
	for (uint32_t i = 0; i < COMB_CHAIN; i++) {
		const uint32_t plus = pattern[i] & (top - 1);
		out[i * step] = (uint16_t)((pattern[i] & top) != 0 ? plus : (plus ^ (top - 1)) | COMB_NEGATIVE);
	}
}

/* Where 2^((k v + m) c) times the point waits in sub-table m until its tooth is put in: the last tooth's is entry 0 from the start,
 * and tooth k needs no entry from 2^k on before its turn. */
static inline uint32_t comb_place(uint32_t teeth, uint32_t k) { return k == teeth - 1 ? 0 : 1u << k; }

#endif
