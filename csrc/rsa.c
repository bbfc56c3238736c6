/* SPDX-License-Identifier: Apache-2.0
 *
 * rsa.c: what RSA needs around the public operation, for all engines: signature encodings (RFC 8017, 8.1.2, 8.2.2, 9.1, 9.2) and
 * RSA public keys (RFC 8017 A.1.1 in RFC 5280's SubjectPublicKeyInfo). Encodings are compared whole, none is parsed. */
#include <string.h>

#include "reader.h"
#include "rsa.h"
#include "x509.h"

/* ---- encodings ----------------------------------------------------------------------------------------------------------- */

typedef struct {
	uint32_t digest_len;
	void (*hash)(const uint8_t *data, uint64_t data_len, uint8_t *out);
	bool pss;
	const uint8_t *digest_info;  /* DER of DigestInfo up to the digest, parameters NULL (RFC 8017 9.2, note 1) */
} rsa_scheme;

#define DIGEST_INFO_LEN 19
static const uint8_t sha256_info[DIGEST_INFO_LEN] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                     0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
static const uint8_t sha384_info[DIGEST_INFO_LEN] = {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                     0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30};

static const rsa_scheme *scheme_of(uint32_t algorithm) {
	static const rsa_scheme pss256 = {32, att_sha256, true, NULL};
	static const rsa_scheme pss384 = {48, att_sha384, true, NULL};
	static const rsa_scheme pkcs256 = {32, att_sha256, false, sha256_info};
	static const rsa_scheme pkcs384 = {48, att_sha384, false, sha384_info};
	switch (algorithm) {
	case ATT_RSA_PSS_SHA256:
		return &pss256;
	case ATT_RSA_PSS_SHA384:
		return &pss384;
	case ATT_RSA_PKCS1_SHA256:
		return &pkcs256;
	case ATT_RSA_PKCS1_SHA384:
		return &pkcs384;
	default:
		return NULL;
	}
}

/* EMSA-PKCS1-v1_5 (9.2): 00 01 FF..FF 00 DigestInfo. */
static bool pkcs1_ok(const rsa_scheme *scheme, const uint8_t *encoded, uint32_t len, const uint8_t *digest) {
	uint8_t expected[ATT_RSA_MAX_BYTES];
	const uint32_t tail = DIGEST_INFO_LEN + scheme->digest_len;
	memset(expected, 0xff, len);
	expected[0] = 0;
	expected[1] = 1;
	expected[len - tail - 1] = 0;
	memcpy(expected + len - tail, scheme->digest_info, DIGEST_INFO_LEN);
	memcpy(expected + len - scheme->digest_len, digest, scheme->digest_len);
	return memcmp(encoded, expected, len) == 0;
}

#define MASK_PARTS ((ATT_RSA_MAX_BYTES + 31) / 32)

/* out ^= MGF1(seed) (B.2.1); seed is one digest long. The parts of the mask are hashes of messages that differ in their counter. */
static void mgf1_xor(const rsa_scheme *scheme, const uint8_t *seed, uint8_t *out, uint32_t len) {
	const uint32_t hlen = scheme->digest_len, parts = (len + hlen - 1) / hlen;
	uint8_t input[MASK_PARTS][48 + 4], mask[MASK_PARTS * 48];
	const uint8_t *inputs[MASK_PARTS];
	for (uint32_t i = 0; i < parts; i++) {
		memcpy(input[i], seed, hlen);
		att_store_be32(input[i] + hlen, i);
		inputs[i] = input[i];
	}
	if (hlen == 48) {
		att_sha384_many(inputs, hlen + 4, parts, mask);
	} else {
		for (uint32_t i = 0; i < parts; i++) {
			att_sha256(input[i], hlen + 4, mask + hlen * i);
		}
	}
	for (uint32_t i = 0; i < len; i++) {
		out[i] ^= mask[i];
	}
}

/* EMSA-PSS-VERIFY (9.1.2) with emBits = mod_bits - 1 and sLen = hLen. DB is unmasked, its salt read off, and the hash H' of it
 * compared; PS, the 0x01 and the trailer are compared with what they must be. */
static bool pss_ok(const rsa_scheme *scheme, const uint8_t *encoded, uint32_t len, uint32_t mod_bits, const uint8_t *digest) {
	static const uint8_t zeros[ATT_RSA_MAX_BYTES];
	const uint32_t hlen = scheme->digest_len;
	const uint32_t em_len = (mod_bits - 1 + 7) / 8;
	const uint32_t db_len = em_len - hlen - 1;
	const uint32_t ps_len = db_len - hlen - 1;
	const uint8_t *em = encoded + (len - em_len);
	const uint8_t *h = em + db_len;
	const uint8_t unused = (uint8_t)(0xff00u >> (8 * em_len - (mod_bits - 1)) & 0xff);
	uint8_t db[ATT_RSA_MAX_BYTES], again[8 + 48 + 48], expected[48];
	/* RSAVP1's result has len bytes; I2OSP of it to em_len = len - 1 needs the first to be 0 (8.1.2, step 2c). */
	if (memcmp(encoded, zeros, len - em_len) != 0 || em[em_len - 1] != 0xbc || (em[0] & unused) != 0) {
		return false;
	}
	memcpy(db, em, db_len);
	mgf1_xor(scheme, h, db, db_len);
	db[0] &= (uint8_t)~unused;
	if (memcmp(db, zeros, ps_len) != 0 || db[ps_len] != 1) {
		return false;
	}
	memset(again, 0, 8);
	memcpy(again + 8, digest, hlen);
	memcpy(again + 8 + hlen, db + ps_len + 1, hlen);
	scheme->hash(again, 8 + 2 * hlen, expected);
	return memcmp(h, expected, hlen) == 0;
}

bool att_rsa_encoding_ok(uint32_t algorithm, const uint8_t *encoded, uint32_t len, uint32_t mod_bits, const uint8_t *digest,
                         uint32_t digest_len) {
	const rsa_scheme *scheme = scheme_of(algorithm);
	if (scheme == NULL || digest_len != scheme->digest_len || len < ATT_RSA_MIN_BYTES || len > ATT_RSA_MAX_BYTES ||
	    mod_bits > 8 * len || mod_bits <= 8 * (len - 1)) {
		return false;
	}
	return scheme->pss ? pss_ok(scheme, encoded, len, mod_bits, digest) : pkcs1_ok(scheme, encoded, len, digest);
}

uint32_t att_rsa_bits(const uint8_t *modulus, uint32_t len) {
	uint32_t bits = 8 * (len - 1);
	for (uint8_t top = modulus[0]; top != 0; top = (uint8_t)(top >> 1)) {
		bits++;
	}
	return bits;
}

bool att_rsa_job_fits(const att_sig_job *job) {
	const rsa_scheme *scheme = scheme_of(job->algorithm);
	return scheme != NULL && job->digest_len == scheme->digest_len && job->exponent >= 3 && job->exponent % 2 == 1 &&
	       job->key_len >= ATT_RSA_MIN_BYTES && job->key_len <= ATT_RSA_MAX_BYTES && job->sig_len == job->key_len &&
	       job->key != NULL && job->sig != NULL;
}

bool att_rsa_job_encodes(const att_sig_job *job, const uint8_t *encoded, const uint8_t *modulus, uint32_t len) {
	return att_rsa_encoding_ok(job->algorithm, encoded, len, att_rsa_bits(modulus, len), job->digest, job->digest_len);
}

bool att_rsa_verify(const att_sig_job *job, att_rsa_key *last) {
	uint8_t encoded[ATT_RSA_MAX_BYTES];
	return att_rsa_job_fits(job) && att_rsa_key_load(last, job->key, job->key_len) &&
	       att_rsa_public(last, job->exponent, job->sig, encoded) && att_rsa_job_encodes(job, encoded, last->bytes, last->len);
}

/* ---- SubjectPublicKeyInfo ------------------------------------------------------------------------------------------------ */

int32_t att_rsa_spki(const uint8_t *spki, uint64_t spki_len, uint64_t *out_modulus_offset, uint64_t *out_modulus_len,
                     uint32_t *out_exponent) {
	att_span modulus;
	uint32_t exponent;
	if (spki_len > UINT16_MAX || !att_x509_rsa_key(spki, (att_span){0, (uint32_t)spki_len}, &modulus, &exponent)) {
		return -1;
	}
	const uint8_t *n = spki + modulus.offset;
	/* 2048 bits at least: a modulus of 256 bytes has its top bit set. */
	if (modulus.len < ATT_RSA_MIN_BYTES || modulus.len > ATT_RSA_MAX_BYTES || (modulus.len == ATT_RSA_MIN_BYTES && n[0] < 0x80) ||
	    n[modulus.len - 1] % 2 == 0 || exponent < 3 || exponent % 2 == 0) {
		return -1;
	}
	*out_modulus_offset = modulus.offset;
	*out_modulus_len = modulus.len;
	*out_exponent = exponent;
	return 0;
}
