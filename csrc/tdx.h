/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx.h: what the parts of the TDX and SGX code share inside the core. */
#ifndef ATT_TDX_H
#define ATT_TDX_H

#include <stdbool.h>

#include "attest.h"
#include "reader.h"

/* Number of the check's finding, for readability at the call. */
#define TDX_SET(findings, check, finding) ((findings)[ATT_TDX_CHECK_##check] = (finding))

/* ---- quotes (tdx_quote.c) ------------------------------------------------------------------------------------------------ */

/* The parts of a QE section; spans count from its first byte. */
typedef struct {
	att_span qe_report;
	att_span qe_signature;
	att_span auth;
	att_span certification;
	uint16_t certification_type;
} att_tdx_section;

/* Takes a QE section apart that stands alone, whichever version's it is. False: it is none, or could be one of two kinds. */
bool att_tdx_section_read(const uint8_t *section, uint32_t len, att_tdx_section *out);

/* A platform's finding as a row's: of the fields that lie in the QE section the offset counts from the section's first byte, and
 * in a row from the quote's. Offsets in certificates stay as they are. */
att_finding att_tdx_section_finding(att_finding of_platform, uint32_t section_offset);

/* ---- certificates and chains (intel_cert.c, tdx_platform.c) -------------------------------------------------------------- */

/* Whether an AlgorithmIdentifier (whole) is Intel's: ecdsa-with-SHA256 without parameters. */
bool att_intel_algorithm_ok(const uint8_t *der, att_span algorithm);

/* The role that a Name (whole) stands for, compared whole; ATT_INTEL_OTHER when it is none of Intel's. */
uint8_t att_intel_role_of_name(const uint8_t *der, att_span name);

/* A key was read: a certificate whose profile failed may have none, and then nothing can be verified under it. */
static inline bool att_intel_has_key(const uint8_t key[64]) { return att_first_nonzero(key, 64) < 64; }

/* subject names issuer as its issuer: byte-equal Names, and its authority key id is the issuer's subject key id. */
bool att_intel_issued(const att_intel_cert *subject, const att_intel_cert *issuer);

/* Reads a chain in PEM of exactly num certificates (at most 3), in the order they stand in: CERTIFICATE blocks and nothing else,
 * LF or CR LF, one NUL at the very end allowed. malformed is the code for what is not that; its offset counts from the text's
 * first byte. Certificates that break their profile are read all the same: see their profile. */
att_finding att_intel_chain_read(const uint8_t *pem, uint64_t pem_len, uint32_t num, uint16_t malformed, uint16_t field,
                                 att_intel_cert *out);

/* The anchor that this certificate is, byte for byte and usable as one (a root by its profile, signed by itself), or -1. */
int32_t att_intel_anchor_of(const att_intel_trust *trust, const att_intel_cert *root);

/* The first usable anchor of this name and key id: whose CRL this may be. -1 when none. */
int32_t att_intel_anchor_named(const att_intel_trust *trust, const uint8_t *name, uint32_t name_len, const uint8_t *key_id,
                               uint32_t key_id_len);

/* The known CA that this certificate is, byte for byte, when anchor signed it; else NULL. */
const att_intel_cert *att_intel_known_issuer(const att_intel_trust *trust, const att_intel_cert *ca, int32_t anchor);

/* A job: is this SHA-256 digest signed by sig under key? sig and key must stay where they are until the job has run. */
void att_intel_job(att_sig_job *job, const uint8_t digest[32], const uint8_t *sig, const uint8_t *key, uint32_t tag);

/* A chain of two: a certificate that the root issued, and the root. */
typedef struct {
	att_finding chain;       /* ATT_PASS, or the first of: form, profile, place, names, anchor; the signature is not judged yet */
	int32_t root_index;      /* the anchor, or -1 */
	bool known;              /* the certificate is a known CA: its signature needs no job */
	att_intel_cert cert[2];
} att_intel_pair;

/* Reads one in PEM. roles: bit att_intel_role, which of them may stand first. field: how findings call that certificate. An empty
 * text is ATT_CODE_COLLATERAL_MISSING, one that is no such chain ATT_CODE_COLLATERAL_MALFORMED. */
void att_intel_pair_read(const att_intel_trust *trust, const uint8_t *pem, uint64_t pem_len, uint32_t roles, uint16_t field,
                         att_intel_pair *out);

/* The signing chain of a collateral document. Returns true when it wrote the job (certificate under root), which points into
 * work_sig and into trust; then finish closes the finding with the outcome. field: ATT_FIELD_TCB_SIGNER or _QE_SIGNER. */
bool att_tcb_signer_begin(const att_intel_trust *trust, const uint8_t *pem, uint64_t pem_len, uint16_t field, att_tcb_signer *out,
                          uint8_t work_sig[64], att_sig_job *job);
void att_tcb_signer_finish(att_tcb_signer *signer, uint16_t field, const att_sig_job *job);

#endif
