/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_id_block.c: ID_BLOCK and ID_AUTH_INFO (AMD 56860, SNP_LAUNCH_FINISH): what a guest's owner signs before launch. The firmware has
 * checked both signatures of a guest whose report bears the digests; this is for those who prepare or audit them. */
#include "reader.h"
#include "sig.h"

enum {
	BLOCK_AT_VERSION = 0x50,
	BLOCK_VERSION = 1,
	AUTH_AT_ID_KEY_ALGO = 0x000,
	AUTH_AT_AUTH_KEY_ALGO = 0x004,
	AUTH_AT_RESERVED_008 = 0x008,
	AUTH_AT_ID_BLOCK_SIG = 0x040,
	AUTH_AT_ID_KEY = 0x240,
	AUTH_AT_RESERVED_644 = 0x644,
	AUTH_AT_ID_KEY_SIG = 0x680,
	AUTH_AT_AUTHOR_KEY = 0x880,
	AUTH_AT_RESERVED_C84 = 0xC84,
	KEY_CURVE_P384 = 2,
	KEY_AT_X = 0x004,
	KEY_AT_Y = 0x04C,
	KEY_AT_RESERVED = 0x094,
	SIG_AT_S = 0x48,
	SIG_AT_RESERVED = 0x90,
	SIG_LEN = 0x200,
	SCALAR_LEN = 72, /* least significant byte first */
	VALUE_LEN = 48,  /* of a P-384 scalar; the rest is zero */
	ALGO_P384_SHA384 = 1
};

static bool zero(const uint8_t *p, uint32_t n) { return att_first_nonzero(p, n) == n; }

static bool read_scalar(const uint8_t *in, uint8_t *out) {
	for (uint32_t i = 0; i < VALUE_LEN; i++) {
		out[i] = in[VALUE_LEN - 1 - i];
	}
	return zero(in + VALUE_LEN, SCALAR_LEN - VALUE_LEN);
}

static bool read_key(const uint8_t *key, uint8_t *out) {
	return read_scalar(key + KEY_AT_X, out) && read_scalar(key + KEY_AT_Y, out + VALUE_LEN) &&
	       att_load_le32(key) == KEY_CURVE_P384 && zero(key + KEY_AT_RESERVED, ATT_ID_KEY_LEN - KEY_AT_RESERVED);
}

static bool read_signature(const uint8_t *sig, uint8_t *out) {
	return read_scalar(sig, out) && read_scalar(sig + SIG_AT_S, out + VALUE_LEN) && zero(sig + SIG_AT_RESERVED, SIG_LEN - SIG_AT_RESERVED);
}

/* The rules before any signature, in the order of the structures. */
static att_finding judge_forms(const uint8_t *block, uint64_t block_len, const uint8_t *auth, uint64_t auth_len) {
	if (block_len != ATT_ID_BLOCK_LEN) {
		return att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_ID_BLOCK, 0);
	}
	if (att_load_le32(block + BLOCK_AT_VERSION) != BLOCK_VERSION) {
		return att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_ID_BLOCK_VERSION, BLOCK_AT_VERSION);
	}
	if (auth_len != ATT_ID_AUTH_LEN) {
		return att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_ID_AUTH, 0);
	}
	if (att_load_le32(auth + AUTH_AT_ID_KEY_ALGO) != ALGO_P384_SHA384) {
		return att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_ID_KEY_ALGO, AUTH_AT_ID_KEY_ALGO);
	}
	static const uint16_t reserved[][2] = {{AUTH_AT_RESERVED_008, AUTH_AT_ID_BLOCK_SIG},
	                                       {AUTH_AT_RESERVED_644, AUTH_AT_ID_KEY_SIG},
	                                       {AUTH_AT_RESERVED_C84, ATT_ID_AUTH_LEN}};
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
		uint32_t len = (uint32_t)(reserved[i][1] - reserved[i][0]);
		uint32_t bad = att_first_nonzero(auth + reserved[i][0], len);
		if (bad < len) {
			return att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_ID_AUTH_RESERVED, reserved[i][0] + bad);
		}
	}
	return att_pass();
}

static void set_job(att_sig_job *job, const uint8_t *key, const uint8_t *sig, const uint8_t *message, uint64_t message_len) {
	memset(job, 0, sizeof *job);
	job->algorithm = ATT_ECDSA_P384;
	job->key = key;
	job->key_len = 2 * VALUE_LEN;
	job->sig = sig;
	job->sig_len = 2 * VALUE_LEN;
	job->digest_len = VALUE_LEN;
	att_sha384(message, message_len, job->digest);
}

int32_t att_snp_id_auth(const uint8_t *block, uint64_t block_len, const uint8_t *auth, uint64_t auth_len, uint8_t *scratch,
                        att_sig_job *jobs, uint8_t *out_id_key_digest, uint8_t *out_author_key_digest, att_finding *out_error) {
	uint8_t *id_key = scratch;
	uint8_t *id_sig = scratch + 96;
	uint8_t *author_key = scratch + 192;
	uint8_t *author_sig = scratch + 288;
	memset(out_id_key_digest, 0, VALUE_LEN);
	memset(out_author_key_digest, 0, VALUE_LEN);
	*out_error = judge_forms(block, block_len, auth, auth_len);
	if (out_error->code != ATT_PASS) {
		return -1;
	}
	if (!read_key(auth + AUTH_AT_ID_KEY, id_key)) {
		*out_error = att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_ID_KEY, AUTH_AT_ID_KEY);
		return -1;
	}
	if (!read_signature(auth + AUTH_AT_ID_BLOCK_SIG, id_sig)) {
		*out_error = att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_ID_BLOCK_SIG, AUTH_AT_ID_BLOCK_SIG);
		return -1;
	}
	att_sha384(auth + AUTH_AT_ID_KEY, ATT_ID_KEY_LEN, out_id_key_digest);
	set_job(&jobs[0], id_key, id_sig, block, ATT_ID_BLOCK_LEN);
	bool has_author = !zero(auth + AUTH_AT_AUTHOR_KEY, ATT_ID_KEY_LEN) || !zero(auth + AUTH_AT_ID_KEY_SIG, SIG_LEN);
	if (!has_author) {
		return 1;
	}
	if (att_load_le32(auth + AUTH_AT_AUTH_KEY_ALGO) != ALGO_P384_SHA384) {
		*out_error = att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_AUTH_KEY_ALGO, AUTH_AT_AUTH_KEY_ALGO);
		return -1;
	}
	if (!read_key(auth + AUTH_AT_AUTHOR_KEY, author_key) || !read_signature(auth + AUTH_AT_ID_KEY_SIG, author_sig)) {
		*out_error = att_found(ATT_CODE_ID_BLOCK_MALFORMED, ATT_FIELD_AUTHOR_KEY, AUTH_AT_AUTHOR_KEY);
		return -1;
	}
	att_sha384(auth + AUTH_AT_AUTHOR_KEY, ATT_ID_KEY_LEN, out_author_key_digest);
	set_job(&jobs[1], author_key, author_sig, auth + AUTH_AT_ID_KEY, ATT_ID_KEY_LEN);
	return 2;
}
