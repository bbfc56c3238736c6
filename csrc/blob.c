/* SPDX-License-Identifier: Apache-2.0
 *
 * blob.c: PEM (RFC 7468), one DER certificate, or the certificate table of the GHCB (56421, 4.1.8.1), taken apart.
 *
 * Only framing is judged here. What comes out is whatever stood where a certificate belongs; att_snp_cert_read judges that.
 */
#include "der.h"

/* Where the certificates go. Whatever comes in is at most as long as the blob in total, so out_der is never too short. */
typedef struct {
	const uint8_t *blob;
	uint32_t len;
	uint8_t *der;
	uint32_t der_used;
	uint32_t *offsets;
	uint32_t *lens;
	uint64_t max;
	uint64_t num;
	att_finding error;
} blob_walk;

static bool refuse(blob_walk *w, uint16_t code, uint16_t field, uint32_t offset) {
	if (w->error.code == ATT_PASS) {
		w->error = att_found(code, field, offset);
	}
	return false;
}

static bool malformed(blob_walk *w, uint16_t field, uint32_t offset) {
	return refuse(w, ATT_CODE_CERT_SET_MALFORMED, field, offset);
}

/* Room for one more certificate that begins at der_used. */
static bool may_add(blob_walk *w, uint16_t field, uint32_t offset) {
	return w->num < w->max || refuse(w, ATT_CODE_CERT_SET_LIMIT, field, offset);
}

static void add(blob_walk *w, uint32_t len) {
	w->offsets[w->num] = w->der_used;
	w->lens[w->num] = len;
	w->num++;
	w->der_used += len;
}

static bool copy_cert(blob_walk *w, att_span cert, uint16_t field) {
	if (!may_add(w, field, cert.offset)) {
		return false;
	}
	memcpy(w->der + w->der_used, w->blob + cert.offset, cert.len);
	add(w, cert.len);
	return true;
}

/* ---- PEM ----------------------------------------------------------------------------------------------------------------- */

/* Text is read by the line: LF or CR LF, or the end of the blob. */
typedef struct {
	att_span text;  /* without its end */
	bool crlf;
} line;

static bool next_line(blob_walk *w, uint32_t *pos, line *out) {
	const uint8_t *at = w->blob + *pos;
	uint32_t left = w->len - *pos;
	if (left == 0) {
		return false;
	}
	const uint8_t *lf = memchr(at, '\n', left);
	uint32_t n = lf != NULL ? (uint32_t)(lf - at) : left;
	out->crlf = lf != NULL && n != 0 && at[n - 1] == '\r';
	out->text = (att_span){*pos, n - (out->crlf ? 1 : 0)};
	*pos += lf != NULL ? n + 1 : n;
	return true;
}

static bool starts_with(const blob_walk *w, att_span text, const char *prefix) {
	size_t n = strlen(prefix);
	return text.len >= n && memcmp(w->blob + text.offset, prefix, n) == 0;
}

/* Plain text: ASCII without control characters other than the tab. */
static bool is_plain(const blob_walk *w, att_span text) {
	for (uint32_t i = 0; i < text.len; i++) {
		uint8_t c = w->blob[text.offset + i];
		if ((c < 0x20 && c != '\t') || c > 0x7E) {
			return false;
		}
	}
	return true;
}

/* "-----BEGIN label-----" or "-----END label-----", and nothing behind it. */
static bool read_boundary(const blob_walk *w, att_span text, const char *begin, att_span *label) {
	uint32_t head = (uint32_t)strlen(begin);
	if (!starts_with(w, text, begin) || text.len < head + 5 || memcmp(w->blob + text.offset + text.len - 5, "-----", 5) != 0) {
		return false;
	}
	*label = (att_span){text.offset + head, text.len - head - 5};
	return is_plain(w, *label);
}

/* Base64 (RFC 4648 4) over lines of any length, none empty: canonical, padding at the very end only. */
typedef struct {
	uint32_t bits;
	uint32_t num;      /* characters of this group of four */
	uint32_t padding;
} base64;

static int32_t base64_value(uint8_t c) {
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters are three bytes, less one for each '='; the bits that padding leaves over must be zero. */
static bool base64_group(base64 *b, uint8_t *out, uint32_t *out_len) {
	uint32_t n = 3 - b->padding;
	uint32_t spare = b->padding == 0 ? 0 : b->bits & (b->padding == 1 ? 0xFFu : 0xFFFFu);
	for (uint32_t i = 0; i < n; i++) {
		out[*out_len + i] = (uint8_t)(b->bits >> (16 - 8 * i));
	}
	*out_len += n;
	b->bits = 0;
	b->num = 0;
	return spare == 0;
}

static bool base64_line(blob_walk *w, base64 *b, att_span text, uint32_t *out_len) {
	if (text.len == 0 || (b->padding != 0 && b->num == 0)) {
		return malformed(w, ATT_FIELD_CERT_SET, text.offset);
	}
	for (uint32_t i = 0; i < text.len; i++) {
		uint8_t c = w->blob[text.offset + i];
		int32_t value = base64_value(c);
		bool pads = c == '=' && b->num >= 2;
		if ((value < 0 && !pads) || (value >= 0 && b->padding != 0)) {
			return malformed(w, ATT_FIELD_CERT_SET, text.offset + i);
		}
		b->bits = b->bits << 6 | (uint32_t)(pads ? 0 : value);
		b->padding += pads ? 1 : 0;
		if (++b->num < 4) {
			continue;
		}
		bool last = b->padding == 0 || i + 1 == text.len;
		if (!base64_group(b, w->der + w->der_used, out_len) || !last) {
			return malformed(w, ATT_FIELD_CERT_SET, text.offset + i);
		}
	}
	return true;
}

/* A block up to its END line, which must bear the same label. Blocks that are not certificates are passed over as plain text. */
static bool read_block(blob_walk *w, uint32_t *pos, const line *begin, att_span label) {
	bool is_cert = att_span_is(w->blob, label, "CERTIFICATE", 11);
	base64 b = {0, 0, 0};
	uint32_t len = 0;
	line l;
	if (is_cert && !may_add(w, ATT_FIELD_CERT_SET, begin->text.offset)) {
		return false;
	}
	while (next_line(w, pos, &l)) {
		if (starts_with(w, l.text, "-----")) {
			att_span end;
			bool same = read_boundary(w, l.text, "-----END ", &end) && att_spans_equal(w->blob, end, label);
			if (!same || b.num != 0 || (is_cert && len == 0)) {
				return malformed(w, ATT_FIELD_CERT_SET, l.text.offset);
			}
			if (is_cert) {
				add(w, len);
			}
			return true;
		}
		if (!is_plain(w, l.text) || l.crlf != begin->crlf) {
			return malformed(w, ATT_FIELD_CERT_SET, l.text.offset);
		}
		if (is_cert && !base64_line(w, &b, l.text, &len)) {
			return false;
		}
	}
	return malformed(w, ATT_FIELD_CERT_SET, begin->text.offset);
}

/* Blocks with plain text between them, such as "subject=" lines. One NUL at the very end is allowed: C strings come that way. */
static bool open_pem(blob_walk *w) {
	uint32_t num_blocks = 0;
	uint32_t pos = 0;
	line l;
	if (w->blob[w->len - 1] == 0) {
		w->len--;
	}
	while (next_line(w, &pos, &l)) {
		att_span label;
		if (read_boundary(w, l.text, "-----BEGIN ", &label)) {
			num_blocks++;
			if (!read_block(w, &pos, &l, label)) {
				return false;
			}
		} else if (starts_with(w, l.text, "-----") || !is_plain(w, l.text)) {
			return malformed(w, ATT_FIELD_CERT_SET, l.text.offset);
		}
	}
	return num_blocks != 0 || malformed(w, ATT_FIELD_CERT_SET, 0);
}

/* ---- DER ----------------------------------------------------------------------------------------------------------------- */

static bool open_der(blob_walk *w) {
	att_der d = att_der_over(w->blob, (att_span){0, w->len}, ATT_CODE_CERT_SET_MALFORMED, ATT_FIELD_CERT_SET);
	att_span cert = att_der_whole(&d, ATT_DER_SEQUENCE);
	att_finding f = att_der_finish(&d);
	if (f.code != ATT_PASS) {
		return refuse(w, f.code, f.field, f.offset);
	}
	return copy_cert(w, cert, ATT_FIELD_CERT_SET);
}

/* ---- certificate table --------------------------------------------------------------------------------------------------- */

/* struct { GUID[16]; u32 offset; u32 length; }, both little-endian, offset from the table's start; a zero entry ends it. */
#define ENTRY_LEN 24u
#define MAX_ENTRIES 32u

typedef struct {
	att_span place;
	uint32_t header;  /* where its entry stands */
} table_entry;

static bool holds_certificate(const uint8_t guid[16]) {
	static const uint8_t kinds[4][16] = {
	    {0x63, 0xDA, 0x75, 0x8D, 0xE6, 0x64, 0x45, 0x64, 0xAD, 0xC5, 0xF4, 0xB9, 0x3B, 0xE8, 0xAC, 0xCD}, /* VCEK */
	    {0xA8, 0x07, 0x4B, 0xC2, 0xA2, 0x5A, 0x48, 0x3E, 0xAA, 0xE6, 0x39, 0xC0, 0x45, 0xA0, 0xB8, 0xA1}, /* VLEK */
	    {0x4A, 0xB7, 0xB3, 0x79, 0xBB, 0xAC, 0x4F, 0xE4, 0xA0, 0x2F, 0x05, 0xAE, 0xF3, 0x27, 0xC7, 0x82}, /* ASK, ASVK */
	    {0xC0, 0xB4, 0x06, 0xA4, 0xA8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3F, 0xB6, 0x01, 0x4C, 0xD0, 0xAE}, /* ARK */
	};
	for (uint32_t i = 0; i < 4; i++) {
		if (memcmp(guid, kinds[i], 16) == 0) {
			return true;
		}
	}
	return false;
}

/* The entries up to the terminator, which must come within MAX_ENTRIES others. A GUID may stand there once. */
static bool read_entries(blob_walk *w, table_entry entries[MAX_ENTRIES], uint32_t *num) {
	att_reader r = att_reader_over(w->blob, 0, w->len);
	for (*num = 0;; (*num)++) {
		uint32_t at = r.pos;
		const uint8_t *raw = att_take(&r, ENTRY_LEN, ATT_CODE_CERT_SET_MALFORMED, ATT_FIELD_CERT_TABLE);
		if (raw == NULL) {
			return malformed(w, ATT_FIELD_CERT_TABLE, at);
		}
		if (att_first_nonzero(raw, ENTRY_LEN) == ENTRY_LEN) {
			return true;
		}
		bool refused = *num == MAX_ENTRIES || att_first_nonzero(raw, 16) == 16;
		for (uint32_t i = 0; i < *num; i++) {
			refused |= memcmp(raw, w->blob + entries[i].header, 16) == 0;
		}
		if (refused) {
			return malformed(w, ATT_FIELD_CERT_TABLE, at);
		}
		entries[*num] = (table_entry){{att_load_le32(raw + 16), att_load_le32(raw + 20)}, at};
	}
}

/* Both lie in the blob, so their ends do not wrap. */
static bool overlap(att_span a, att_span b) { return a.offset < b.offset + b.len && b.offset < a.offset + a.len; }

static bool places_ok(blob_walk *w, const table_entry entries[MAX_ENTRIES], uint32_t num) {
	uint32_t header_len = (num + 1) * ENTRY_LEN;
	for (uint32_t i = 0; i < num; i++) {
		att_span p = entries[i].place;
		bool ok = p.len != 0 && p.offset >= header_len && p.offset <= w->len && p.len <= w->len - p.offset;
		for (uint32_t j = 0; ok && j < i; j++) {
			ok = !overlap(p, entries[j].place);
		}
		if (!ok) {
			return malformed(w, ATT_FIELD_CERT_TABLE, entries[i].header);
		}
	}
	return true;
}

static bool open_table(blob_walk *w) {
	table_entry entries[MAX_ENTRIES];
	uint32_t num;
	if (!read_entries(w, entries, &num) || !places_ok(w, entries, num)) {
		return false;
	}
	for (uint32_t i = 0; i < num; i++) {
		if (holds_certificate(w->blob + entries[i].header) && !copy_cert(w, entries[i].place, ATT_FIELD_CERT_TABLE)) {
			return false;
		}
	}
	return true;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

int64_t att_blob_open(const uint8_t *blob, uint64_t blob_len, uint8_t *out_der, uint32_t *out_offsets, uint32_t *out_lens,
                      uint64_t max_certs, att_finding *out_error) {
	*out_error = att_pass();
	if (blob_len == 0 || blob_len > ATT_BLOB_MAX_BYTES) {
		*out_error = att_found(blob_len == 0 ? ATT_CODE_CERT_SET_MALFORMED : ATT_CODE_CERT_SET_LIMIT, ATT_FIELD_CERT_SET, 0);
		return -1;
	}
	blob_walk w = {blob, (uint32_t)blob_len, out_der, 0, out_offsets, out_lens, max_certs, 0, att_pass()};
	bool ok;
	if (blob[0] == '-' || blob[0] == ' ' || blob[0] == '\t' || blob[0] == '\r' || blob[0] == '\n') {
		ok = open_pem(&w);
	} else {
		ok = blob[0] == ATT_DER_SEQUENCE ? open_der(&w) : open_table(&w);
	}
	*out_error = w.error;
	return ok ? (int64_t)w.num : -1;
}
