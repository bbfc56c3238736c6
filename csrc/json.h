/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h: JSON (RFC 8259) pulled through the bounded reader, for signed documents whose shape is known.
 *
 * As with DER, a walk mirrors the document: enter an object, take its members as they come, enter what they hold. Every byte is
 * judged, wanted or not: UTF-8 (RFC 3629, no byte order mark), the grammar without any extension, whole surrogate pairs. Stricter than
 * the grammar, because a signature covers the text and not what a reader makes of it:
 *   - no name twice in one object, however it is spelt ("a" and "\u0061" are one name);
 *   - no name that differs from a known one of its object by letter case alone: readers that ignore case would take it for that one;
 *   - a wanted string is plain: printable ASCII, no escapes; a wanted number is an integer in digits;
 *   - bounded size, nesting and number of names.
 * No recursion, no allocation. The first failure sticks and ends every loop; its offset counts from the start of the text.
 */
#ifndef ATT_JSON_H
#define ATT_JSON_H

#include <stdbool.h>
#include <string.h>

#include "reader.h"

#define ATT_JSON_MAX_NAMES 96  /* of all objects that are open at one time */

/* A member that the walk knows, and the field that its failures name (ATT_FIELD_NONE: that of the object around it). */
typedef struct {
	const char *name;
	uint16_t field;
	bool required;
} att_json_key;

typedef struct {
	att_span text;
	bool escaped;
} att_json_name;

/* An object or array that is open. */
typedef struct {
	uint32_t start;
	uint32_t first_name;  /* of an object's, into names */
	uint32_t seen;        /* bit i: known member i was there */
	uint16_t field;
	uint8_t close;        /* the bracket that ends it */
	bool empty;           /* nothing was taken out of it yet */
} att_json_frame;

typedef struct {
	att_reader in;
	uint16_t code;   /* what a failure says, as field does; both may be changed as the walk goes on */
	uint16_t field;
	bool closed;     /* unknown members are refused; else passed over */
	uint32_t depth;
	uint32_t num_names;
	att_json_frame frames[ATT_JSON_MAX_DEPTH];
	att_json_name names[ATT_JSON_MAX_NAMES];
} att_json;

/* Begins a walk over one text. */
void att_json_over(att_json *j, const uint8_t *text, uint64_t len, uint16_t code, uint16_t field);

/* Ends it: the value is over and nothing but white space stands behind it. The finding of the first failure, or ATT_PASS. */
att_finding att_json_finish(att_json *j);

static inline bool att_json_ok(const att_json *j) { return att_reader_ok(&j->in); }

/* Records a failure at offset, unless there was one before. */
void att_json_refuse(att_json *j, uint16_t code, uint32_t offset);

/* The next value must be an object, an array: enters it. */
void att_json_object(att_json *j);
void att_json_array(att_json *j);

/* Inside an object: true and the number of the next member that keys name; its value comes next, and must be read. Others are passed
 * over. False at the end, which is left, or after a failure; that a required member is absent is one. num is at most 32. */
bool att_json_member(att_json *j, const att_json_key *keys, uint32_t num, uint32_t *out);

/* Inside an array: true when one more value stands there. False at the end, which is left, or after a failure. */
bool att_json_element(att_json *j);

/* The next value, whatever it is, checked: its text. */
att_span att_json_value(att_json *j);

/* The next value as a plain string: what stands between the quotes. */
att_span att_json_plain(att_json *j);

/* The next value as a plain string that is one of these: its number. */
uint32_t att_json_word(att_json *j, const char *const *words, uint32_t num);

/* The next value as an integer from 0 to max. */
uint32_t att_json_uint(att_json *j, uint32_t max);

/* The next value as a string of 2 n hexadecimal digits of either case: the bytes. */
void att_json_hex(att_json *j, uint8_t *out, uint32_t n);

/* The next value as a time, YYYY-MM-DDThh:mm:ssZ, of 1970 to 9999 and a day that exists: seconds since 1970. */
int64_t att_json_time(att_json *j);

#endif
