/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_quote.c: quotes of versions 3, 4 and 5 taken apart (layout: tdx_layout.h), and their QE sections found and told apart.
 *
 * The walk goes from the outside in, once. Each length is held against what it stands in and must use it up exactly; the first
 * that does not, or the first number that says what follows cannot be read, ends the walk. Nothing nests but type 6, once, so
 * nothing here recurses. What the fields say is judged only where it needs nothing but the quote.
 */
#include "rows.h"
#include "tdx.h"
#include "tdx_layout.h"

/* ---- layout -------------------------------------------------------------------------------------------------------------- */

typedef struct {
	uint16_t field;
	uint16_t offset;
	uint16_t size;
} layout_entry;

typedef struct {
	const layout_entry *entries;
	uint32_t num;
} layout;

#define TDX_ENTRY(name, offset, size) {ATT_FIELD_##name, (offset), (size)},
static const layout_entry header_entries[] = {TDX_HEADER(TDX_ENTRY)};
static const layout_entry descriptor_entries[] = {TDX_DESCRIPTOR(TDX_ENTRY)};
static const layout_entry enclave_entries[] = {TDX_ENCLAVE(TDX_ENTRY)};
static const layout_entry td_entries[] = {TDX_TD15_EX(TDX_ENTRY)};
#undef TDX_ENTRY

#define TDX_COUNT_ONE(name, offset, size) +1
#define LAYOUT(entries) {(entries), sizeof(entries) / sizeof((entries)[0])}
static const layout header_layout = LAYOUT(header_entries);
static const layout descriptor_layout = LAYOUT(descriptor_entries);

/* By att_quote_body; the types 2 and 3 are the beginning of type 4. */
static const layout body_layouts[] = {
    [ATT_BODY_NONE] = LAYOUT(header_entries),
    [ATT_BODY_SGX] = LAYOUT(enclave_entries),
    [ATT_BODY_TD10] = {td_entries, 0 TDX_TD10(TDX_COUNT_ONE)},
    [ATT_BODY_TD15] = {td_entries, 0 TDX_TD15(TDX_COUNT_ONE)},
    [ATT_BODY_TD15_EX] = LAYOUT(td_entries),
};

static const uint16_t body_sizes[] = {
    [ATT_BODY_NONE] = 0,
    [ATT_BODY_SGX] = TDX_ENCLAVE_LEN,
    [ATT_BODY_TD10] = TDX_TD10_LEN,
    [ATT_BODY_TD15] = TDX_TD15_LEN,
    [ATT_BODY_TD15_EX] = TDX_TD15_EX_LEN,
};

int32_t att_tdx_layout(uint32_t body_type, uint32_t i, uint32_t *out_field, uint32_t *out_offset, uint32_t *out_size) {
	if (body_type > ATT_BODY_TD15_EX || i >= body_layouts[body_type].num) {
		return 0;
	}
	const layout_entry *entry = &body_layouts[body_type].entries[i];
	*out_field = entry->field;
	*out_offset = entry->offset;
	*out_size = entry->size;
	return 1;
}

/* The field of a layout at base that a quote of this length has not, or not whole. */
static att_finding truncated_in(const layout *fields, uint32_t base, uint64_t data_len) {
	uint32_t i = 0;
	while (i + 1 < fields->num && (uint64_t)base + fields->entries[i].offset + fields->entries[i].size <= data_len) {
		i++;
	}
	return att_found(ATT_CODE_QUOTE_TRUNCATED, fields->entries[i].field, base + fields->entries[i].offset);
}

static uint32_t load_le16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

/* ---- QE section ---------------------------------------------------------------------------------------------------------- */

/* A walk through what length fields enclose. Whoever asks for more than its container has left learns that the container's length
 * is wrong. */
typedef struct {
	att_reader in;
	uint16_t holder;      /* the length field of the innermost container, and its place */
	uint32_t holder_at;
	att_finding length;
	att_finding outer;    /* certification data of version 4 and 5: of type 6 */
} section_walk;

static bool refuse_length(section_walk *w, uint16_t field, uint32_t offset) {
	w->length = att_found(ATT_CODE_QUOTE_LENGTH, field, offset);
	return false;
}

static const uint8_t *take(section_walk *w, uint32_t n, att_span *out) {
	uint32_t at = w->in.pos;
	const uint8_t *p = att_take(&w->in, n, ATT_CODE_QUOTE_LENGTH, w->holder);
	if (p == NULL) {
		refuse_length(w, w->holder, w->holder_at);
		return NULL;
	}
	if (out != NULL) {
		*out = (att_span){at, n};
	}
	return p;
}

/* Type and size in front of certification data, which fill their container. */
static bool take_certification_header(section_walk *w, uint16_t size_field, uint16_t *out_type) {
	const uint8_t *type = take(w, 2, NULL);
	uint32_t size_at = w->in.pos;
	const uint8_t *size = type != NULL ? take(w, 4, NULL) : NULL;
	if (size == NULL) {
		return false;
	}
	*out_type = (uint16_t)load_le16(type);
	if (att_load_le32(size) != att_reader_left(&w->in)) {
		return refuse_length(w, size_field, size_at);
	}
	w->holder = size_field;
	w->holder_at = size_at;
	return true;
}

static bool take_outer(section_walk *w) {
	uint32_t at = w->in.pos;
	uint16_t type = 0;
	section_walk before = *w;
	bool fits = take_certification_header(w, ATT_FIELD_CERTIFICATION_SIZE, &type);
	if (type != TDX_CERTIFICATION_QE && att_reader_left(&before.in) >= 6) {
		w->length = before.length; /* of another type, so its size means nothing known */
		w->outer = att_found(ATT_CODE_CERTIFICATION_TYPE, ATT_FIELD_CERTIFICATION_TYPE, at);
		return false;
	}
	w->outer = att_pass();
	return fits;
}

/* Reads from the attestation key to the end of the reader. */
static bool take_section(section_walk *w, bool with_outer, att_tdx_quote *out) {
	uint32_t start = w->in.pos;
	if (take(w, TDX_KEY_LEN, &out->key) == NULL || (with_outer && !take_outer(w)) ||
	    take(w, TDX_ENCLAVE_LEN, &out->qe_report) == NULL || take(w, TDX_SIGNATURE_LEN, &out->qe_signature) == NULL) {
		return false;
	}
	uint32_t auth_at = w->in.pos;
	const uint8_t *auth_len = take(w, 2, NULL);
	if (auth_len == NULL) {
		return false;
	}
	w->holder = ATT_FIELD_QE_AUTH_LEN;
	w->holder_at = auth_at;
	if (take(w, load_le16(auth_len), &out->auth) == NULL ||
	    !take_certification_header(w, ATT_FIELD_QE_CERTIFICATION_SIZE, &out->certification_type) ||
	    take(w, att_reader_left(&w->in), &out->certification) == NULL) {
		return false;
	}
	out->section = (att_span){start, w->in.pos - start};
	return true;
}

static bool section_of_kind(const uint8_t *section, uint32_t len, bool with_outer, att_tdx_section *out) {
	att_tdx_quote parts;
	section_walk w = {att_reader_over(section, 0, len), ATT_FIELD_QUOTE, 0, {0, 0, 0}, {0, 0, 0}};
	memset(&parts, 0, sizeof parts);
	if (!take_section(&w, with_outer, &parts)) {
		return false;
	}
	*out = (att_tdx_section){parts.qe_report, parts.qe_signature, parts.auth, parts.certification, parts.certification_type};
	return true;
}

/* The two kinds do not say which they are. All lengths of both would have to be exact for one to pass as the other, and in no
 * genuine section they are; one that was made so is refused, so that there is one reading of any bytes. */
bool att_tdx_section_read(const uint8_t *section, uint32_t len, att_tdx_section *out) {
	att_tdx_section of_3;
	memset(out, 0, sizeof *out);
	memset(&of_3, 0, sizeof of_3);
	bool is_4 = section_of_kind(section, len, true, out);
	bool is_3 = section_of_kind(section, len, false, &of_3);
	if (is_3 && !is_4) {
		*out = of_3;
	}
	return is_3 != is_4;
}

att_finding att_tdx_section_finding(att_finding of_platform, uint32_t section_offset) {
	switch (of_platform.field) {
	case ATT_FIELD_ATTESTATION_KEY:
	case ATT_FIELD_QE_REPORT:
	case ATT_FIELD_QE_REPORT_SIGNATURE:
	case ATT_FIELD_CERTIFICATION:
	case ATT_FIELD_QE_CERTIFICATION_TYPE:
		of_platform.offset += section_offset;
		break;
	default:
		break;
	}
	return of_platform;
}

/* ---- quote --------------------------------------------------------------------------------------------------------------- */

/* head: the quote's first bytes up to ATT_QUOTE_MAX_SIGNED, all of them if it has fewer; may be a copy. */
typedef struct {
	const uint8_t *head;
	const uint8_t *data;
	uint32_t len;
	att_tdx_quote *out;
	att_finding *findings;
} quote_walk;

static bool truncated(quote_walk *w, const layout *fields, uint32_t base) {
	TDX_SET(w->findings, LENGTH, truncated_in(fields, base, w->len));
	return false;
}

/* Version 3 is of SGX alone, and reserves the four bytes of the TEE type. */
static att_finding judge_tee(const att_tdx_quote *out) {
	bool known = out->tee == ATT_TEE_SGX || (out->tee == ATT_TEE_TDX && out->version != 3);
	return known ? att_pass() : att_found(ATT_CODE_TEE_TYPE, ATT_FIELD_QUOTE_TEE_TYPE, TDX_AT_QUOTE_TEE_TYPE);
}

static att_finding judge_vendor(const uint8_t *header) {
	static const uint8_t intel[TDX_SIZE_QUOTE_QE_VENDOR] = {0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9,
	                                                        0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07};
	bool same = memcmp(header + TDX_AT_QUOTE_QE_VENDOR, intel, sizeof intel) == 0;
	return same ? att_pass() : att_found(ATT_CODE_QE_VENDOR, ATT_FIELD_QUOTE_QE_VENDOR, TDX_AT_QUOTE_QE_VENDOR);
}

static bool read_header(quote_walk *w) {
	if (w->len < TDX_SIZE_QUOTE_VERSION) {
		return truncated(w, &header_layout, 0);
	}
	w->out->version = (uint16_t)load_le16(w->head + TDX_AT_QUOTE_VERSION);
	if (w->out->version < 3 || w->out->version > 5) {
		TDX_SET(w->findings, VERSION, att_found(ATT_CODE_QUOTE_VERSION, ATT_FIELD_QUOTE_VERSION, TDX_AT_QUOTE_VERSION));
		return false; /* no field behind it has a meaning we know */
	}
	TDX_SET(w->findings, VERSION, att_pass());
	if (w->len < TDX_HEADER_LEN) {
		return truncated(w, &header_layout, 0);
	}
	w->out->key_type = (uint16_t)load_le16(w->head + TDX_AT_QUOTE_KEY_TYPE);
	w->out->tee = att_load_le32(w->head + TDX_AT_QUOTE_TEE_TYPE);
	TDX_SET(w->findings, TEE_TYPE, judge_tee(w->out));
	TDX_SET(w->findings, KEY_TYPE,
	        w->out->key_type == TDX_KEY_ECDSA_P256
	            ? att_pass()
	            : att_found(ATT_CODE_KEY_TYPE, ATT_FIELD_QUOTE_KEY_TYPE, TDX_AT_QUOTE_KEY_TYPE));
	TDX_SET(w->findings, QE_VENDOR, judge_vendor(w->head));
	return w->findings[ATT_TDX_CHECK_TEE_TYPE].code == ATT_PASS;
}

/* Version 5 tells body type and size, which must fit each other and the TEE. */
static bool read_descriptor(quote_walk *w) {
	if (w->len < TDX_HEADER_LEN + TDX_DESCRIPTOR_LEN) {
		return truncated(w, &descriptor_layout, 0);
	}
	uint32_t type = load_le16(w->head + TDX_AT_QUOTE_BODY_TYPE);
	uint32_t size = att_load_le32(w->head + TDX_AT_QUOTE_BODY_SIZE);
	bool known = type >= ATT_BODY_SGX && type <= ATT_BODY_TD15_EX;
	w->out->body_type = (uint16_t)type;
	if (!known || (type == ATT_BODY_SGX) != (w->out->tee == ATT_TEE_SGX)) {
		TDX_SET(w->findings, TEE_TYPE, att_found(ATT_CODE_QUOTE_BODY, ATT_FIELD_QUOTE_BODY_TYPE, TDX_AT_QUOTE_BODY_TYPE));
		return false;
	}
	if (size != body_sizes[type]) {
		TDX_SET(w->findings, TEE_TYPE, att_found(ATT_CODE_QUOTE_BODY, ATT_FIELD_QUOTE_BODY_SIZE, TDX_AT_QUOTE_BODY_SIZE));
		return false;
	}
	return true;
}

static bool read_body(quote_walk *w) {
	uint32_t at = TDX_HEADER_LEN;
	if (w->out->version == 5) {
		if (!read_descriptor(w)) {
			return false;
		}
		at += TDX_DESCRIPTOR_LEN;
	} else {
		w->out->body_type = w->out->tee == ATT_TEE_SGX ? ATT_BODY_SGX : ATT_BODY_TD10;
	}
	uint32_t size = body_sizes[w->out->body_type];
	if (w->len - at < size) {
		return truncated(w, &body_layouts[w->out->body_type], at);
	}
	w->out->body = (att_span){at, size};
	w->out->signed_part = (att_span){0, at + size};
	return true;
}

/* The signature section: how long it is, and what the key type says stands in it. */
static bool read_signature_section(quote_walk *w) {
	uint32_t len_at = w->out->signed_part.len;
	att_reader r = att_reader_over(w->data, len_at, w->len);
	const uint8_t *len = att_take(&r, 4, ATT_CODE_QUOTE_TRUNCATED, ATT_FIELD_AUTH_DATA_LEN);
	uint32_t section_len = len != NULL ? att_load_le32(len) : 0;
	if (len == NULL || att_reader_left(&r) < section_len) {
		TDX_SET(w->findings, LENGTH, att_found(ATT_CODE_QUOTE_TRUNCATED, ATT_FIELD_AUTH_DATA_LEN, len_at));
		return false;
	}
	uint32_t end = r.pos + section_len;
	section_walk s = {att_reader_over(w->data, r.pos, end), ATT_FIELD_AUTH_DATA_LEN, len_at, {0, 0, 0}, {0, 0, 0}};
	bool whole = take(&s, TDX_SIGNATURE_LEN, &w->out->signature) != NULL && take_section(&s, w->out->version != 3, w->out);
	TDX_SET(w->findings, LENGTH, whole ? att_pass() : s.length);
	if (s.outer.code > ATT_PASS) {
		TDX_SET(w->findings, CERTIFICATION, s.outer);
	}
	w->out->trailing = (att_span){end, w->len - end};
	return whole;
}

/* Every part in its place; judged is only what says where they are. */
static bool read_quote(quote_walk *w, uint64_t data_len) {
	memset(w->out, 0, sizeof *w->out);
	memset(w->findings, 0, ATT_TDX_NUM_CHECKS * sizeof *w->findings);
	if (w->data == NULL) {
		TDX_SET(w->findings, LENGTH, att_found(ATT_CODE_EVIDENCE_MISSING, ATT_FIELD_QUOTE, 0));
		return false;
	}
	if (data_len > ATT_QUOTE_MAX_BYTES) {
		TDX_SET(w->findings, LENGTH, att_found(ATT_CODE_QUOTE_LIMIT, ATT_FIELD_QUOTE, ATT_QUOTE_MAX_BYTES));
		return false;
	}
	w->len = (uint32_t)data_len;
	/* With a key of another kind the signature section has sizes that are not known. */
	return read_header(w) && read_body(w) && w->findings[ATT_TDX_CHECK_KEY_TYPE].code == ATT_PASS && read_signature_section(w);
}

/* ---- what the parts say ---------------------------------------------------------------------------------------------------- */

static const layout_entry enclave_reserved[] = {
    {ATT_FIELD_SGX_RESERVED_14, TDX_AT_SGX_RESERVED_14, TDX_SIZE_SGX_RESERVED_14},
    {ATT_FIELD_SGX_RESERVED_60, TDX_AT_SGX_RESERVED_60, TDX_SIZE_SGX_RESERVED_60},
    {ATT_FIELD_SGX_RESERVED_A0, TDX_AT_SGX_RESERVED_A0, TDX_SIZE_SGX_RESERVED_A0},
    {ATT_FIELD_SGX_RESERVED_106, TDX_AT_SGX_RESERVED_106, TDX_SIZE_SGX_RESERVED_106},
};

static bool zeros(const uint8_t *p, uint32_t offset, uint32_t size, uint16_t field, att_finding *found) {
	uint32_t bad = att_first_nonzero(p + offset, size);
	if (bad < size) {
		*found = att_found(ATT_CODE_RESERVED, field, offset + bad);
	}
	return bad == size;
}

/* at: of the report in data. field: that of the range itself when NONE. */
static bool enclave_reserved_zero(const uint8_t *data, uint32_t at, uint16_t field, att_finding *found) {
	for (size_t i = 0; i < sizeof enclave_reserved / sizeof enclave_reserved[0]; i++) {
		const layout_entry *range = &enclave_reserved[i];
		uint16_t called = field != ATT_FIELD_NONE ? field : range->field;
		if (!zeros(data, at + range->offset, range->size, called, found)) {
			return false;
		}
	}
	return true;
}

/* A TD's report has no reserved bytes; SEAMATTRIBUTES are the module identity's to judge. The user data are opaque. */
static att_finding judge_reserved(const quote_walk *w) {
	att_finding found = att_pass();
	const att_tdx_quote *q = w->out;
	bool ok = q->version == 3 ||
	          zeros(w->head, TDX_AT_QUOTE_QE_SVN, TDX_HEADER_RESERVED_LEN, ATT_FIELD_QUOTE_RESERVED, &found);
	ok = ok && (q->body_type != ATT_BODY_SGX || enclave_reserved_zero(w->head, q->body.offset, ATT_FIELD_NONE, &found));
	if (ok) {
		enclave_reserved_zero(w->data, q->qe_report.offset, ATT_FIELD_QE_REPORT, &found);
	}
	return found;
}

/* Sizes and types of A.4 in Intel's QuoteLibReference. Whether a chain is one, its reader will say. */
static att_finding judge_certification(const att_tdx_quote *q) {
	uint32_t size = q->certification.len;
	uint32_t size_at = q->certification.offset - 4;
	uint32_t wanted = size != 0 ? size : 1;
	switch (q->certification_type) {
	case TDX_CERTIFICATION_PPID:
		wanted = TDX_PPID_LEN + TDX_PCK_ID_LEN;
		break;
	case TDX_CERTIFICATION_PPID_2048:
		wanted = TDX_PPID_2048_LEN + TDX_PCK_ID_LEN;
		break;
	case TDX_CERTIFICATION_PPID_3072:
		wanted = TDX_PPID_3072_LEN + TDX_PCK_ID_LEN;
		break;
	case TDX_CERTIFICATION_PCK:
	case TDX_CERTIFICATION_CHAIN:
		break;
	default:
		return att_found(ATT_CODE_CERTIFICATION_TYPE, ATT_FIELD_QE_CERTIFICATION_TYPE, size_at - 2);
	}
	return size == wanted ? att_pass() : att_found(ATT_CODE_CERTIFICATION_DATA, ATT_FIELD_QE_CERTIFICATION_SIZE, size_at);
}

/* Collectors hand over the buffer that a quote was made in, or round its size up. Real ones have up to 3,065 zeros behind. */
static att_finding judge_trailing(const quote_walk *w) {
	att_span t = w->out->trailing;
	const uint8_t *p = w->data + t.offset;
	bool all_zero = t.len == 0 || (p[0] == 0 && memcmp(p, p + 1, t.len - 1) == 0); /* each byte is the one before it */
	uint32_t bad = all_zero ? t.len : att_first_nonzero(p, t.len);
	if (bad > ATT_QUOTE_MAX_PADDING) {
		bad = ATT_QUOTE_MAX_PADDING;
	}
	return bad == t.len ? att_pass() : att_found(ATT_CODE_QUOTE_TRAILING, ATT_FIELD_QUOTE_TRAILING, t.offset + bad);
}

int32_t att_tdx_parse(const uint8_t *data, uint64_t data_len, att_tdx_quote *out, att_finding *findings) {
	uint8_t head[ATT_QUOTE_MAX_SIGNED]; /* the caller's buffer may change under us; of the rest each length is read once */
	quote_walk w = {head, data, 0, out, findings};
	if (data != NULL) {
		memcpy(head, data, data_len < sizeof head ? (size_t)data_len : sizeof head);
	}
	if (!read_quote(&w, data_len)) {
		return 0;
	}
	TDX_SET(findings, RESERVED, judge_reserved(&w));
	TDX_SET(findings, CERTIFICATION, judge_certification(out));
	TDX_SET(findings, TRAILING, judge_trailing(&w));
	return 1;
}

/* ---- sections of many quotes ----------------------------------------------------------------------------------------------- */

int32_t att_tdx_section_at(const att_rows *quotes, uint64_t i, const uint8_t **out, uint64_t *out_len, uint16_t *out_type) {
	const uint8_t *data;
	uint64_t len;
	att_tdx_quote quote;
	att_finding findings[ATT_TDX_NUM_CHECKS];
	*out = NULL;
	*out_len = 0;
	*out_type = 0;
	if (!att_row_at(quotes, i, &data, &len)) {
		return 0;
	}
	quote_walk w = {data, data, 0, &quote, findings};
	if (!read_quote(&w, len)) {
		return 0;
	}
	*out = data + quote.section.offset;
	*out_len = quote.section.len;
	*out_type = quote.certification_type;
	return 1;
}

/* A hash that hostile rows cannot aim at and that reads each byte once, at a fraction of SipHash's price: NH (Black, Halevi,
 * Krawczyk, Krovetz, Rogaway 1999, "UMAC") over blocks, each to 64 bits, under a key of its length; then SipHash over these and
 * the length. For whoever does not know the key, two sections have one hash with a chance of 2^-32. */
#define NH_WORDS 256u
#define NH_BLOCK (4 * NH_WORDS)
#define NH_MAX_BLOCKS (ATT_QUOTE_MAX_BYTES / NH_BLOCK + 1)

typedef struct {
	uint32_t nh[NH_WORDS];
	uint8_t sip[16];
} hash_key;

static void make_hash_key(const uint8_t key[16], hash_key *out) {
	for (uint32_t i = 0; i < NH_WORDS / 2; i++) {
		uint8_t counter[4] = {(uint8_t)i, (uint8_t)(i >> 8), 'N', 'H'};
		uint64_t word = att_sip13(key, counter, sizeof counter);
		out->nh[2 * i] = (uint32_t)word;
		out->nh[2 * i + 1] = (uint32_t)(word >> 32);
	}
	memcpy(out->sip, key, sizeof out->sip);
}

static uint64_t nh_pairs(const uint32_t *key, const uint8_t *data, uint32_t num_pairs) {
	uint64_t sum = 0;
	for (uint32_t i = 0; i < num_pairs; i++) {
		uint32_t words[2];
		memcpy(words, data + 8 * (size_t)i, 8); /* in whatever byte order: hashes are compared within one call */
		sum += (uint64_t)(uint32_t)(words[0] + key[2 * i]) * (uint32_t)(words[1] + key[2 * i + 1]);
	}
	return sum;
}

static uint64_t hash_section(const hash_key *key, const uint8_t *data, uint64_t len) {
	uint64_t sums[NH_MAX_BLOCKS + 1];
	uint64_t num = 0;
	uint64_t at = 0;
	for (; len - at >= NH_BLOCK; at += NH_BLOCK) {
		sums[num++] = nh_pairs(key->nh, data + at, NH_WORDS / 2);
	}
	uint32_t left = (uint32_t)(len - at);
	uint32_t pairs = left / 8;
	uint8_t last[8] = {0};
	memcpy(last, data + at + 8 * pairs, left % 8);
	sums[num++] = nh_pairs(key->nh, data + at, pairs) + nh_pairs(key->nh + 2 * pairs, last, 1);
	uint8_t tail[8];
	memcpy(tail, &len, 8);
	memcpy(&sums[num++], tail, 8);
	return att_sip13(key->sip, (const uint8_t *)sums, num * sizeof sums[0]);
}

typedef struct {
	const uint8_t *at;
	uint64_t len;
	int32_t chain; /* where its PCK chain comes from, when it has none itself; else 0 */
} row_section;

static bool section_of_row(const att_rows *quotes, const int32_t *chain_of, uint64_t i, row_section *out) {
	uint16_t type;
	if (!att_tdx_section_at(quotes, i, &out->at, &out->len, &type)) {
		return false;
	}
	out->chain = chain_of != NULL && type != TDX_CERTIFICATION_CHAIN ? chain_of[i] : 0;
	return true;
}

static bool same_section(const att_rows *quotes, const int32_t *chain_of, uint64_t row, const row_section *b) {
	row_section a;
	return section_of_row(quotes, chain_of, row, &a) && a.len == b->len && a.chain == b->chain &&
	       memcmp(a.at, b->at, (size_t)b->len) == 0;
}

int64_t att_tdx_sections_distinct(const att_rows *quotes, const int32_t *chain_of, const uint8_t *key, int32_t *out_index,
                                  int64_t *out_first, int32_t *slots, uint64_t num_slots) {
	int32_t num = 0;
	int32_t last = -1;
	hash_key keys;
	make_hash_key(key, &keys);
	for (uint64_t s = 0; s < num_slots; s++) {
		slots[s] = -1;
	}
	for (uint64_t i = 0; i < quotes->n; i++) {
		row_section section;
		out_index[i] = -1;
		if (!section_of_row(quotes, chain_of, i, &section)) {
			continue;
		}
		if (last >= 0 && same_section(quotes, chain_of, (uint64_t)out_first[last], &section)) {
			out_index[i] = last; /* one machine's quotes often come together */
			continue;
		}
		uint64_t spread = (uint64_t)(uint32_t)section.chain * UINT64_C(0x9E3779B97F4A7C15);
		uint64_t slot = (hash_section(&keys, section.at, section.len) + spread) & (num_slots - 1);
		for (; slots[slot] >= 0; slot = (slot + 1) & (num_slots - 1)) {
			if (same_section(quotes, chain_of, (uint64_t)out_first[slots[slot]], &section)) {
				out_index[i] = slots[slot];
				break;
			}
		}
		if (out_index[i] < 0) {
			slots[slot] = num;
			out_first[num] = (int64_t)i;
			out_index[i] = num++;
		}
		last = out_index[i];
	}
	return num;
}
