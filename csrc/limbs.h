/* SPDX-License-Identifier: Apache-2.0
 *
 * limbs.h: the integer types of the portable engine. 64-bit limbs where the compiler has 128-bit integers, else 32-bit limbs;
 * -DATT_LIMB32 asks for the latter anywhere, so that they can be tested on the machine at hand. Nothing here depends on byte order:
 * bytes become limbs, and limbs bytes, by shifts alone. */
#ifndef ATT_LIMBS_H
#define ATT_LIMBS_H

#include <stdint.h>

#if defined(__SIZEOF_INT128__) && !defined(ATT_LIMB32)
#define ATT_WORD_BITS 64
typedef uint64_t att_word;                             /* full words: RSA */
__extension__ typedef unsigned __int128 att_dword;
typedef int64_t att_limb;                              /* signed limbs with room above their digit: elliptic curves */
typedef uint64_t att_ulimb;
__extension__ typedef __int128 att_wide;
__extension__ typedef unsigned __int128 att_uwide;
#define ATT_LIMB_BITS 56
#else
#define ATT_WORD_BITS 32
typedef uint32_t att_word;
typedef uint64_t att_dword;
typedef int32_t att_limb;
typedef uint32_t att_ulimb;
typedef int64_t att_wide;
typedef uint64_t att_uwide;
#define ATT_LIMB_BITS 28
#endif

/* C11 leaves the right shift of a negative number to the implementation (6.5.7); the curves need the arithmetic one. */
_Static_assert((-3 >> 1) == -2, "right shifts of negative numbers must be arithmetic");

/* Loops of fixed length that must become straight code, indexes and all. */
#if defined(__clang__)
#define ATT_UNROLL _Pragma("unroll")
#define ATT_UNROLL_4 _Pragma("unroll(4)")
#elif defined(__GNUC__)
#define ATT_UNROLL _Pragma("GCC unroll 32")
#define ATT_UNROLL_4 _Pragma("GCC unroll 4")
#else
#define ATT_UNROLL
#define ATT_UNROLL_4
#endif

#if defined(__GNUC__)
#define ATT_INLINE static inline __attribute__((always_inline))
#define ATT_NOINLINE static __attribute__((noinline))
#else
#define ATT_INLINE static inline
#define ATT_NOINLINE static
#endif

#endif
