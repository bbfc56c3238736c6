/* SPDX-License-Identifier: Apache-2.0
 *
 * der.c: see der.h. read_element is the only function here that looks at tags and lengths. */
#include "der.h"

typedef struct {
	uint32_t start;
	att_span contents;
} element;

att_der att_der_over(const uint8_t *base, att_span span, uint16_t code, uint16_t field) {
	att_der d = {att_reader_over(base, span.offset, span.offset + span.len), code, field};
	return d;
}

void att_der_refuse(att_der *d, uint32_t offset) {
	if (att_der_ok(d)) {
		d->in.error = att_found(d->code, d->field, offset);
	}
}

/* The length octets (X.690 8.1.3, 10.1): short form below 128, else the fewest octets that hold it. False: not that. */
static bool read_length(att_der *d, uint32_t *out) {
	const uint8_t *first = att_take(&d->in, 1, d->code, d->field);
	*out = 0;
	if (first == NULL) {
		return false;
	}
	if (first[0] < 0x80) {
		*out = first[0];
		return true;
	}
	uint32_t octets = first[0] & 0x7Fu;
	if (octets == 0 || octets > 4) {
		return false;
	}
	const uint8_t *more = att_take(&d->in, octets, d->code, d->field);
	if (more == NULL) {
		return false;
	}
	for (uint32_t i = 0; i < octets; i++) {
		*out = *out << 8 | more[i];
	}
	return more[0] != 0 && *out >= 0x80;
}

/* A failure anywhere in the header, or contents that do not fit, is reported at the element's first byte. */
static element read_element(att_der *d, uint8_t tag) {
	element e = {d->in.pos, {d->in.pos, 0}};
	bool one_byte = (tag & 0x1Fu) != 0x1F && tag != 0;
	if (!one_byte || !att_der_next_is(d, tag)) {
		att_der_refuse(d, e.start);
		return e;
	}
	att_der header = *d;
	uint32_t len;
	att_take(&header.in, 1, d->code, d->field);
	if (!read_length(&header, &len) || att_reader_left(&header.in) < len) {
		att_der_refuse(d, e.start);
		return e;
	}
	e.contents = (att_span){header.in.pos, len};
	att_take(&d->in, header.in.pos - e.start, d->code, d->field);
	att_take(&d->in, len, d->code, d->field);
	return e;
}

att_span att_der_take(att_der *d, uint8_t tag) { return read_element(d, tag).contents; }

att_span att_der_whole(att_der *d, uint8_t tag) {
	element e = read_element(d, tag);
	return (att_span){e.start, att_der_ok(d) ? d->in.pos - e.start : 0};
}

att_der att_der_enter(att_der *d, uint8_t tag) {
	att_span contents = att_der_take(d, tag);
	att_der inner = att_der_over(d->in.base, contents, d->code, d->field);
	inner.in.error = d->in.error;
	return inner;
}

void att_der_leave(att_der *d, const att_der *inner) {
	att_der end = *inner;
	att_finding error = att_der_finish(&end);
	if (att_der_ok(d)) {
		d->in.error = error;
	}
}

att_finding att_der_finish(att_der *d) {
	if (att_der_more(d)) {
		att_der_refuse(d, d->in.pos);
	}
	return d->in.error;
}

/* INTEGER and ENUMERATED share their contents (X.690 8.4). */
static bool shortest_integer(const uint8_t *base, att_span s) {
	if (s.len == 0) {
		return false;
	}
	const uint8_t *p = base + s.offset;
	return s.len == 1 || !((p[0] == 0x00 && p[1] < 0x80) || (p[0] == 0xFF && p[1] >= 0x80));
}

att_span att_der_integer(att_der *d) {
	element e = read_element(d, ATT_DER_INTEGER);
	if (att_der_ok(d) && !shortest_integer(d->in.base, e.contents)) {
		att_der_refuse(d, e.start);
		e.contents.len = 0;
	}
	return e.contents;
}

att_span att_der_unsigned(att_der *d) {
	uint32_t start = d->in.pos;
	att_span s = att_der_integer(d);
	if (!att_der_ok(d)) {
		return s;
	}
	if (d->in.base[s.offset] >= 0x80) {
		att_der_refuse(d, start);
		s.len = 0;
	} else if (d->in.base[s.offset] == 0) {
		s.offset++;
		s.len--;
	}
	return s;
}

uint32_t att_der_uint(att_der *d, uint32_t max) {
	uint32_t start = d->in.pos;
	att_span s = att_der_unsigned(d);
	uint32_t value = 0;
	if (s.len > 4) {
		att_der_refuse(d, start);
		return 0;
	}
	for (uint32_t i = 0; i < s.len; i++) {
		value = value << 8 | d->in.base[s.offset + i];
	}
	if (value > max) {
		att_der_refuse(d, start);
		return 0;
	}
	return value;
}

bool att_der_boolean(att_der *d) {
	element e = read_element(d, ATT_DER_BOOLEAN);
	if (!att_der_ok(d)) {
		return false;
	}
	uint8_t value = e.contents.len == 1 ? d->in.base[e.contents.offset] : 1;
	if (value != 0x00 && value != 0xFF) {
		att_der_refuse(d, e.start);
	}
	return value == 0xFF;
}

/* An arc is a run of octets with the top bit set and one without; it may not begin with 80. */
static bool shortest_oid(const uint8_t *base, att_span s) {
	const uint8_t *p = base + s.offset;
	bool arc_begins = true;
	for (uint32_t i = 0; i < s.len; i++) {
		if (arc_begins && p[i] == 0x80) {
			return false;
		}
		arc_begins = p[i] < 0x80;
	}
	return s.len != 0 && arc_begins;
}

att_span att_der_oid(att_der *d) {
	element e = read_element(d, ATT_DER_OID);
	if (att_der_ok(d) && !shortest_oid(d->in.base, e.contents)) {
		att_der_refuse(d, e.start);
		e.contents.len = 0;
	}
	return e.contents;
}

att_span att_der_bytes(att_der *d) {
	element e = read_element(d, ATT_DER_BIT_STRING);
	if (!att_der_ok(d)) {
		return e.contents;
	}
	if (e.contents.len == 0 || d->in.base[e.contents.offset] != 0) {
		att_der_refuse(d, e.start);
		return (att_span){e.start, 0};
	}
	return (att_span){e.contents.offset + 1, e.contents.len - 1};
}

void att_der_null(att_der *d) {
	element e = read_element(d, ATT_DER_NULL);
	if (e.contents.len != 0) {
		att_der_refuse(d, e.start);
	}
}

/* ---- times --------------------------------------------------------------------------------------------------------------- */

/* Days from 1970-01-01 to the first day of a year of the Gregorian calendar. */
static int64_t days_before_year(int64_t year) {
	int64_t y = year - 1;
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static bool to_seconds(int64_t year, const int64_t part[5], int64_t *out) {
	static const uint16_t days_before_month[14] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int64_t month = part[0], day = part[1], hour = part[2], minute = part[3], second = part[4];
	if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) {
		return false;
	}
	int64_t leap_day = is_leap(year) ? 1 : 0;
	int64_t month_days = days_before_month[month + 1] - days_before_month[month] + (month == 2 ? leap_day : 0);
	if (day > month_days) {
		return false;
	}
	int64_t days = days_before_year(year) + days_before_month[month] + (month > 2 ? leap_day : 0) + day - 1;
	*out = ((days * 24 + hour) * 60 + minute) * 60 + second;
	return true;
}

/* The digits of a time in pairs. */
static bool read_pairs(const uint8_t *text, uint32_t num_pairs, int64_t *out) {
	for (uint32_t i = 0; i < 2 * num_pairs; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return false;
		}
	}
	for (uint32_t i = 0; i < num_pairs; i++) {
		out[i] = (text[2 * i] - '0') * 10 + (text[2 * i + 1] - '0');
	}
	return true;
}

int64_t att_der_time(att_der *d) {
	bool utc = att_der_next_is(d, ATT_DER_UTC_TIME);
	element e = read_element(d, utc ? ATT_DER_UTC_TIME : ATT_DER_GENERALIZED_TIME);
	if (!att_der_ok(d)) {
		return 0;
	}
	const uint8_t *text = d->in.base + e.contents.offset;
	uint32_t num_pairs = utc ? 6 : 7;
	int64_t pairs[7];
	int64_t seconds = 0;
	if (e.contents.len != 2 * num_pairs + 1 || text[2 * num_pairs] != 'Z' || !read_pairs(text, num_pairs, pairs)) {
		att_der_refuse(d, e.start);
		return 0;
	}
	int64_t year = utc ? pairs[0] + (pairs[0] >= 50 ? 1900 : 2000) : pairs[0] * 100 + pairs[1];
	if ((!utc && year < 2050) || !to_seconds(year, pairs + num_pairs - 5, &seconds)) {
		att_der_refuse(d, e.start);
		return 0;
	}
	return seconds;
}
