/* SPDX-License-Identifier: Apache-2.0
 *
 * der.h: DER elements (X.690) over the bounded reader: one-byte tags, definite lengths in their shortest form, nothing else.
 *
 * A walk mirrors the ASN.1 line by line: enter a SEQUENCE, read its members, leave it; leave refuses what was not read. There is
 * no recursion: nesting goes as deep as the code that walks it. As with the reader, the first failure sticks and later reads give
 * empty spans, so only the end of a walk need be checked, and whatever decides the next step. All offsets count from base.
 */
#ifndef ATT_DER_H
#define ATT_DER_H

#include <stdbool.h>
#include <string.h>

#include "reader.h"

enum {
	ATT_DER_BOOLEAN = 0x01,
	ATT_DER_INTEGER = 0x02,
	ATT_DER_BIT_STRING = 0x03,
	ATT_DER_OCTET_STRING = 0x04,
	ATT_DER_NULL = 0x05,
	ATT_DER_OID = 0x06,
	ATT_DER_ENUMERATED = 0x0A,
	ATT_DER_UTF8_STRING = 0x0C,
	ATT_DER_PRINTABLE_STRING = 0x13,
	ATT_DER_IA5_STRING = 0x16,
	ATT_DER_UTC_TIME = 0x17,
	ATT_DER_GENERALIZED_TIME = 0x18,
	ATT_DER_SEQUENCE = 0x30,
	ATT_DER_SET = 0x31,
	ATT_DER_CONTEXT = 0x80,             /* [0] primitive; add the number */
	ATT_DER_CONTEXT_CONSTRUCTED = 0xA0  /* [0] constructed */
};

typedef struct {
	att_reader in;
	uint16_t code;   /* what a failure says; both may be changed as the walk goes on */
	uint16_t field;
} att_der;

att_der att_der_over(const uint8_t *base, att_span span, uint16_t code, uint16_t field);

/* Records a failure at offset, unless there was one before. */
void att_der_refuse(att_der *d, uint32_t offset);

static inline bool att_der_ok(const att_der *d) { return att_reader_ok(&d->in); }

/* Something is left to read; false after a failure, so that loops end. */
static inline bool att_der_more(const att_der *d) { return att_der_ok(d) && att_reader_left(&d->in) != 0; }

/* The next element has this tag: how OPTIONAL and DEFAULT are read. */
static inline bool att_der_next_is(const att_der *d, uint8_t tag) { return att_der_more(d) && d->in.base[d->in.pos] == tag; }

/* The next element, which must have this tag: its contents, or all of it with its header. */
att_span att_der_take(att_der *d, uint8_t tag);
att_span att_der_whole(att_der *d, uint8_t tag);

/* Into the next element, and out of it again: the inner walk must have ended well and at its end. */
att_der att_der_enter(att_der *d, uint8_t tag);
void att_der_leave(att_der *d, const att_der *inner);

/* Ends a walk: all was read. The finding of the first failure, or ATT_PASS. */
att_finding att_der_finish(att_der *d);

/* INTEGER: its contents in two's complement, the shortest form only (X.690 8.3.2). */
att_span att_der_integer(att_der *d);

/* INTEGER that is not negative: its magnitude without leading zeros, empty for 0. */
att_span att_der_unsigned(att_der *d);

/* INTEGER from 0 to max. */
uint32_t att_der_uint(att_der *d, uint32_t max);

/* BOOLEAN: 00 or FF (X.690 11.1). */
bool att_der_boolean(att_der *d);

/* OBJECT IDENTIFIER: its contents. Each arc is in its shortest form (X.690 8.19.2), so that equal ones are equal bytes. */
att_span att_der_oid(att_der *d);

/* BIT STRING of whole bytes: the bytes. */
att_span att_der_bytes(att_der *d);

void att_der_null(att_der *d);

/* Time (RFC 5280 4.1.2.5): UTCTime for 1950 to 2049, GeneralizedTime from 2050 on; to the second, in Z, a date that exists. */
int64_t att_der_time(att_der *d);

static inline bool att_span_is(const uint8_t *base, att_span span, const void *bytes, uint32_t len) {
	return span.len == len && memcmp(base + span.offset, bytes, len) == 0;
}

static inline bool att_spans_equal(const uint8_t *base, att_span a, att_span b) {
	return att_span_is(base, a, base + b.offset, b.len);
}

#endif
