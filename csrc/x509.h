/* SPDX-License-Identifier: Apache-2.0
 *
 * x509.h: a certificate or CRL of any profile taken apart into spans (RFC 5280 4.1 and 5.1), and readers for the parts that
 * profiles share. The structure is judged here: every element in its place, nothing between, nothing left over. What the parts
 * say is for the profile to judge.
 *
 * A span of length 0 is a part that is absent, or behind the place where reading failed; every reader here refuses it.
 */
#ifndef ATT_X509_H
#define ATT_X509_H

#include "der.h"

#define ATT_X509_MAX_EXTENSIONS 64  /* AMD's certificates have at most 12; it bounds the search for repeated ones */

typedef struct {
	att_span tbs;              /* "whole" is with header, "contents" without */
	att_span version;          /* contents of the INTEGER; absent in version 1 */
	att_span serial;           /* whole */
	att_span inner_algorithm;  /* whole */
	att_span issuer;           /* whole */
	att_span validity;         /* whole */
	att_span subject;          /* whole */
	att_span spki;             /* whole */
	att_span extensions;       /* contents of the SEQUENCE OF */
	att_span algorithm;        /* whole */
	att_span signature;        /* whole */
} att_x509;

/* Certificate. Unique identifiers are refused: no profile in use here has them (RFC 5280 4.1.2.8). */
att_finding att_x509_read(const uint8_t *der, uint32_t der_len, att_x509 *out);

typedef struct {
	att_span tbs;
	att_span version;
	att_span inner_algorithm;
	att_span issuer;
	att_span this_update;      /* whole */
	att_span next_update;      /* whole */
	att_span revoked;          /* contents of the SEQUENCE OF */
	att_span extensions;
	att_span algorithm;
	att_span signature;
} att_x509_crl;

/* CertificateList. */
att_finding att_x509_crl_read(const uint8_t *der, uint32_t der_len, att_x509_crl *out);

typedef struct {
	att_span oid;
	att_span value;   /* contents of extnValue */
	uint32_t offset;
	bool critical;
} att_x509_extension;

/* The contents of Extensions: no two alike, at most ATT_X509_MAX_EXTENSIONS. A wrong form says code; one that is repeated, or one
 * too many, says repeated. On failure those before it stand in out. */
att_finding att_x509_extensions(const uint8_t *der, att_span list, uint16_t code, uint16_t repeated, uint16_t field,
                                att_x509_extension *out, uint32_t *out_num);

/* A Name (whole): whether it is well-formed, and the value of its commonName. That is empty when the Name has not exactly one, or
 * not as a UTF8String or PrintableString. */
bool att_x509_name(const uint8_t *der, att_span name, att_span *out_common_name);

/* notBefore and notAfter; the second is not before the first. */
att_finding att_x509_validity(const uint8_t *der, att_span validity, int64_t *out_not_before, int64_t *out_not_after);

/* The bits of a whole BIT STRING, when they are whole bytes. */
bool att_x509_signature(const uint8_t *der, att_span signature, att_span *out);

/* SubjectPublicKeyInfo with an rsaEncryption key, parameters NULL (RFC 3279 2.3.1): modulus without leading zeros, exponent. */
bool att_x509_rsa_key(const uint8_t *der, att_span spki, att_span *out_modulus, uint32_t *out_exponent);

/* SubjectPublicKeyInfo with an id-ecPublicKey key on a named curve (RFC 5480 2.1.1, 2.2), whose point is uncompressed with
 * coordinates of coordinate_len bytes: X || Y. Explicit parameters are refused. Whether it is on the curve is not judged here. */
bool att_x509_ec_key(const uint8_t *der, att_span spki, const uint8_t *curve, uint32_t curve_len, uint32_t coordinate_len,
                     att_span *out_xy);

/* Whether an AlgorithmIdentifier (whole) is ecdsa-with-SHA256, which has no parameters (RFC 5758 3.2). */
bool att_x509_ecdsa_sha256(const uint8_t *der, att_span algorithm);

/* A signatureValue (whole) that is an Ecdsa-Sig-Value (RFC 3279 2.2.3) of two INTEGERs that are not negative and fit size bytes:
 * r || s, size bytes each. Whether they are in range is for the engines to say. */
bool att_x509_ecdsa_signature(const uint8_t *der, att_span signature, uint32_t size, uint8_t *out);

/* Values of extensions, RFC 5280 4.2.1. False: not of that form, or of a form that no profile in use here has. */
typedef struct {
	bool ca;
	bool has_path_len;
	uint32_t path_len;
} att_x509_basic_constraints;

#define ATT_X509_KU_DIGITAL_SIGNATURE 0x80u  /* bit 0 is the top bit of the first byte */
#define ATT_X509_KU_KEY_CERT_SIGN 0x04u
#define ATT_X509_KU_CRL_SIGN 0x02u

bool att_x509_read_basic_constraints(const uint8_t *der, att_span value, att_x509_basic_constraints *out);
bool att_x509_read_key_usage(const uint8_t *der, att_span value, uint8_t *out_first_byte);
bool att_x509_ski(const uint8_t *der, att_span value, att_span *out_id);  /* an OCTET STRING that is not empty */
bool att_x509_aki(const uint8_t *der, att_span value, att_span *out_id);  /* keyIdentifier alone, not empty */
bool att_x509_ski_ok(const uint8_t *der, att_span value);
bool att_x509_aki_ok(const uint8_t *der, att_span value);
bool att_x509_crldp_ok(const uint8_t *der, att_span value);  /* one point with one URI, which is never used */

/* id-ce, 2.5.29.number */
static inline bool att_x509_is_ce(const uint8_t *der, att_span oid, uint8_t number) {
	const uint8_t bytes[3] = {0x55, 0x1D, number};
	return att_span_is(der, oid, bytes, 3);
}

enum {
	ATT_X509_CE_SKI = 14,
	ATT_X509_CE_KEY_USAGE = 15,
	ATT_X509_CE_BASIC_CONSTRAINTS = 19,
	ATT_X509_CE_CRL_NUMBER = 20,
	ATT_X509_CE_CRL_REASON = 21,
	ATT_X509_CE_DELTA_CRL = 27,
	ATT_X509_CE_ISSUING_POINT = 28,
	ATT_X509_CE_CERTIFICATE_ISSUER = 29,
	ATT_X509_CE_NAME_CONSTRAINTS = 30,
	ATT_X509_CE_CRLDP = 31,
	ATT_X509_CE_POLICY_MAPPINGS = 33,
	ATT_X509_CE_AKI = 35,
	ATT_X509_CE_POLICY_CONSTRAINTS = 36,
	ATT_X509_CE_INHIBIT_ANY_POLICY = 54
};

#endif
