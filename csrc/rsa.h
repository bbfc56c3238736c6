/* SPDX-License-Identifier: Apache-2.0
 *
 * rsa.h: RSA inside the core. The public operation is an engine's (here portable's); encodings are everybody's. */
#ifndef ATT_RSA_H
#define ATT_RSA_H

#include "limbs.h"
#include "sig.h"

#define ATT_RSA_MIN_BYTES 256
#define ATT_RSA_MAX_BYTES 512
#define ATT_RSA_LIMB_BITS (ATT_WORD_BITS == 64 ? 60 : 27)
#define ATT_RSA_LIMBS_FOR(bytes) (2 * ((8 * (bytes) + 2 + 2 * ATT_RSA_LIMB_BITS - 1) / (2 * ATT_RSA_LIMB_BITS)))  /* in pairs */
#define ATT_RSA_LIMBS ATT_RSA_LIMBS_FOR(ATT_RSA_MAX_BYTES)

/* A modulus made ready for Montgomery's product with R = 2^(ATT_RSA_LIMB_BITS * limbs) > 4 n. limbs is 0 until one was. */
typedef struct {
	uint32_t limbs;
	uint32_t len;                     /* bytes */
	att_word inverse;                 /* -1/n modulo 2^ATT_RSA_LIMB_BITS */
	uint8_t bytes[ATT_RSA_MAX_BYTES];
	att_word n[ATT_RSA_LIMBS];
	att_word r2[ATT_RSA_LIMBS];       /* R^2 modulo n */
} att_rsa_key;

/* False unless the modulus is odd, of 256 to 512 bytes, its first byte not 0. Keeps what it has when it is the same modulus. */
bool att_rsa_key_load(att_rsa_key *key, const uint8_t *modulus, uint32_t len);

/* out = sig^exponent mod n, key->len bytes each; false unless sig < n and the exponent is odd, 3 or more. */
bool att_rsa_public(const att_rsa_key *key, uint32_t exponent, const uint8_t *sig, uint8_t *out);

/* Whether encoded (len bytes, as att_rsa_public leaves it) is what the algorithm of a job (ATT_RSA_*) makes of the digest for a
 * modulus of mod_bits bits. */
bool att_rsa_encoding_ok(uint32_t algorithm, const uint8_t *encoded, uint32_t len, uint32_t mod_bits, const uint8_t *digest,
                         uint32_t digest_len);

/* Bits of a modulus whose first byte is not 0. */
uint32_t att_rsa_bits(const uint8_t *modulus, uint32_t len);

/* Whether the lengths, the exponent and the algorithm of a job are such that the public operation is to be done at all; nothing that
 * the job points to is looked at. */
bool att_rsa_job_fits(const att_sig_job *job);

/* Whether encoded, as the public operation with this modulus leaves it, is what the job's algorithm makes of its digest. */
bool att_rsa_job_encodes(const att_sig_job *job, const uint8_t *encoded, const uint8_t *modulus, uint32_t len);

/* One whole job; last carries a prepared modulus from one job to the next. False for whatever is not a valid RSA signature. */
bool att_rsa_verify(const att_sig_job *job, att_rsa_key *last);

#endif
