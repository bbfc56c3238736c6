/* SPDX-License-Identifier: Apache-2.0
 *
 * ec_element.h: the type of a field element and how constants of it are written. Included by ec_p256.c and ec_p384.c before their
 * constants, after CURVE_BITS and CURVE_DIGITS; ec_curve.h tells the rest. */
#include "limbs.h"

#define B ATT_LIMB_BITS
#define NL (CURVE_DIGITS * 28 / B)
#define MASK (((att_ulimb)1 << B) - 1)
#define CURVE_BYTES (CURVE_BITS / 8)

typedef struct {
	att_limb v[NL];
} fe;

/* Constants are written in digits of 28 bits, least significant first, and serve both sizes of limb. */
#if ATT_LIMB_BITS == 56
#define FE_PAIR(low, high) (att_limb)(low) | (att_limb)(high) << 28
#else
#define FE_PAIR(low, high) low, high
#endif
#define FE10(a, b, c, d, e, f, g, h, i, j)                                                                                          \
	{ FE_PAIR(a, b), FE_PAIR(c, d), FE_PAIR(e, f), FE_PAIR(g, h), FE_PAIR(i, j) }
#define FE14(a, b, c, d, e, f, g, h, i, j, k, l, m, n)                                                                              \
	{ FE_PAIR(a, b), FE_PAIR(c, d), FE_PAIR(e, f), FE_PAIR(g, h), FE_PAIR(i, j), FE_PAIR(k, l), FE_PAIR(m, n) }
