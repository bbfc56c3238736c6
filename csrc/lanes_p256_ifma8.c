/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes_p256_ifma8.c: NIST P-256 (SP 800-186, 3.2.1.3) in eight lanes with 52-bit limbs: p = 2^256 - 2^224 + 2^192 + 2^96 - 1. */
#include "lanes.h"

#if ATT_LANES_IFMA8

#ifdef ATT_LANES_EMULATED
#define LANES 8
#include "lanes_ops_emulated.h"
#else
#include "lanes_ops_ifma8.h"
#endif

#define CURVE_BITS 256
#define NL 5
#define ORDER_INVERSE 0x1c8aaee00bc4f  /* -1/n modulo 2^52 */

static const uint8_t prime_bytes[32] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};
static const uint8_t order_bytes[32] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
/* p - n: r + n is a coordinate when r is below */
static const uint8_t prime_less_order_bytes[32] = {
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x43, 0x19, 0x05, 0x53, 0x58, 0xe8, 0x61, 0x7b, 0x0c, 0x46, 0x35, 0x3d, 0x03, 0x9c, 0xda, 0xae,
};
/* p */
static const uint64_t prime[NL] = {
	0xfffffffffffff, 0x00fffffffffff, 0x0000000000000, 0x0001000000000,
	0x0ffffffff0000,
};
/* 2 p */
static const uint64_t prime_twice[NL] = {
	0xffffffffffffe, 0x01fffffffffff, 0x0000000000000, 0x0002000000000,
	0x1fffffffe0000,
};
/* n */
static const uint64_t order[NL] = {
	0x9cac2fc632551, 0xada7179e84f3b, 0xfffffffbce6fa, 0x0000fffffffff,
	0x0ffffffff0000,
};
/* R^2 mod p */
static const uint64_t prime_r2[NL] = {
	0x0000000000300, 0xffffffff00000, 0xffffefffffffb, 0xfdfffffffffff,
	0x0000004ffffff,
};
/* R^2 mod n */
static const uint64_t order_r2[NL] = {
	0x5cc0dea6dc3ba, 0x192a067d8a084, 0xbec59615571bb, 0x1fc245b2392b6,
	0x0e12d9559d956,
};
/* R mod p */
static const uint64_t mont_one[NL] = {
	0x0000000000010, 0xf000000000000, 0xfffffffffffff, 0xffeffffffffff,
	0x00000000fffff,
};
/* b R mod p */
static const uint64_t mont_b[NL] = {
	0xdf6229c4bddfd, 0xca8843090d89c, 0x212ed6acf005c, 0x83415a220abf7,
	0x0c30061dd4874,
};
/* x(G) R mod p */
static const uint64_t generator_x[NL] = {
	0x30d418a9143c1, 0xc4fedb60179e7, 0x62251075ba95f, 0x5c669fb732b77,
	0x08905f76b5375,
};
/* y(G) R mod p */
static const uint64_t generator_y[NL] = {
	0x5357ce95560a8, 0x43a19e45cddf2, 0x21f3258b4ab8e, 0xd8552e88688dd,
	0x0571ff18a5885,
};

#define ALONE_UP_TO 3  /* jobs of known keys that are left over: faster one by one up to so many */

#include "lanes_field52.h"

#include "lanes_curve.h"

const att_curve att_lanes_p256_ifma8 = {
	.algorithm = ATT_ECDSA_P256,
	.key_len = 2 * CURVE_BYTES,
	.format = 1,
	.lanes = LANES,
	.worth = 2,
	.pays = 15,
	.alone = 8,
	.init = init_combs,
	.verify_any = verify_any,
	.verify_known = verify_known,
	.build_tables = build_tables,
};

#endif
