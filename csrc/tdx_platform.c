/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_platform.c: Intel's chains linked to the trust anchors, and QE sections judged once: PCK certificate <- Platform or
 * Processor CA <- root, the QE report under the PCK certificate's key, the attestation key bound in the QE report.
 *
 * There is no path building. A chain has its places, each with its own name, in their order; the root's place is taken only by an
 * anchor that the caller pinned, byte for byte, and never by what the evidence brings. A known CA is known byte for byte too, and
 * saves nothing but its signature. Nothing here asks for the time, nor for CRLs: that is the rows' to do.
 *
 * Offsets in findings count from the certificate's first byte in certificates, and from the section's in the rest of a QE
 * section.
 */
#include "rows.h"
#include "sig.h"
#include "tdx.h"
#include "tdx_layout.h"

/* ---- chains in PEM ------------------------------------------------------------------------------------------------------- */

/* 16 KiB of DER in base64, with the ends of its lines and both boundaries. */
#define PEM_BLOCK_MAX 24576u

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----";
static const char pem_end[] = "-----END CERTIFICATE-----";

static bool line_is(const uint8_t *line, uint32_t len, const char *text) {
	if (len != 0 && line[len - 1] == '\n') {
		len--;
		len -= len != 0 && line[len - 1] == '\r' ? 1 : 0;
	}
	return len == strlen(text) && memcmp(line, text, len) == 0;
}

/* Length of the line at pos, with its end. */
static uint32_t line_len(const uint8_t *text, uint32_t pos, uint32_t len) {
	const uint8_t *lf = memchr(text + pos, '\n', len - pos);
	return lf != NULL ? (uint32_t)(lf - (text + pos)) + 1 : len - pos;
}

/* Length of the block at pos, from its BEGIN line to its END line; 0: there is none. */
static uint32_t block_len(const uint8_t *text, uint32_t pos, uint32_t len) {
	uint32_t at = pos;
	while (at < len) {
		uint32_t n = line_len(text, at, len);
		bool first = at == pos;
		if (first != line_is(text + at, n, pem_begin)) {
			return 0;
		}
		at += n;
		if (line_is(text + at - n, n, pem_end)) {
			return at - pos;
		}
	}
	return 0;
}

/* One block, decoded and read. What it decodes to is a private copy. */
static att_finding read_block(const uint8_t *block, uint32_t len, att_intel_cert *out) {
	uint8_t der[PEM_BLOCK_MAX];
	uint32_t offset, der_len;
	att_finding error;
	if (len > sizeof der) {
		return att_found(ATT_CODE_CERT_SET_LIMIT, ATT_FIELD_CERT_SET, 0);
	}
	if (att_blob_open(block, len, der, &offset, &der_len, 1, &error) != 1) {
		return error.code > ATT_PASS ? error : att_found(ATT_CODE_CERT_SET_MALFORMED, ATT_FIELD_CERT_SET, 0);
	}
	att_intel_cert_read(der + offset, der_len, out);
	return att_pass();
}

att_finding att_intel_chain_read(const uint8_t *pem, uint64_t pem_len, uint32_t num, uint16_t malformed, uint16_t field,
                                 att_intel_cert *out) {
	memset(out, 0, num * sizeof *out);
	if (pem_len > ATT_BLOB_MAX_BYTES) {
		return att_found(ATT_CODE_CERT_SET_LIMIT, field, 0);
	}
	uint32_t len = (uint32_t)pem_len;
	uint32_t pos = 0;
	if (len != 0 && pem[len - 1] == 0) {
		len--; /* chains are handed about as C strings, with their end or without */
	}
	for (uint32_t i = 0; i < num; i++) {
		uint32_t n = block_len(pem, pos, len);
		if (n == 0) {
			return att_found(malformed, field, pos);
		}
		att_finding error = read_block(pem + pos, n, &out[i]);
		if (error.code != ATT_PASS) {
			bool limit = error.code == ATT_CODE_CERT_SET_LIMIT;
			return att_found(limit ? error.code : malformed, field, pos + error.offset);
		}
		pos += n;
	}
	return pos == len ? att_pass() : att_found(malformed, field, pos);
}

/* ---- links --------------------------------------------------------------------------------------------------------------- */

static bool same_bytes(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len) {
	return a_len == b_len && a_len != 0 && memcmp(a, b, a_len) == 0;
}

/* An absent key id is equal to none. */
bool att_intel_issued(const att_intel_cert *subject, const att_intel_cert *issuer) {
	return same_bytes(subject->issuer, subject->issuer_len, issuer->subject, issuer->subject_len) &&
	       same_bytes(subject->aki, subject->aki_len, issuer->ski, issuer->ski_len);
}

static bool same_key(const att_intel_cert *a, const att_intel_cert *b) {
	return att_intel_has_key(a->key) && memcmp(a->key, b->key, sizeof a->key) == 0;
}

static bool is_pck_ca(const att_intel_cert *cert) {
	return cert->role == ATT_INTEL_PLATFORM_CA || cert->role == ATT_INTEL_PROCESSOR_CA;
}

void att_intel_job(att_sig_job *job, const uint8_t digest[32], const uint8_t *sig, const uint8_t *key, uint32_t tag) {
	memset(job, 0, sizeof *job);
	job->algorithm = ATT_ECDSA_P256;
	job->key = key;
	job->key_len = 64;
	job->sig = sig;
	job->sig_len = 64;
	job->digest_len = 32;
	memcpy(job->digest, digest, 32);
	job->tag = tag;
}

/* ---- the trust itself ---------------------------------------------------------------------------------------------------- */

/* A walk writes jobs (jobs set), reads outcomes (outcomes set), or only counts. */
typedef struct {
	att_sig_job *jobs;
	const att_sig_job *outcomes;
	uint64_t num;
} job_walk;

/* The next job: did issuer sign subject? True only when reading, and only for a valid signature. */
static bool walk_cert(job_walk *walk, const att_intel_cert *subject, const att_intel_cert *issuer, uint32_t tag) {
	uint64_t i = walk->num++;
	if (walk->outcomes != NULL) {
		return walk->outcomes[i].outcome == ATT_SIG_VALID;
	}
	if (walk->jobs != NULL) {
		att_intel_job(&walk->jobs[i], subject->tbs_sha256, subject->signature, issuer->key, tag);
	}
	return false;
}

/* An anchor that breaks the profile or does not sign itself is none; a known CA of such an anchor is not known. */
static void walk_trust(job_walk *walk, const att_intel_trust *trust) {
	for (uint32_t i = 0; i < trust->num_anchors; i++) {
		att_intel_cert *anchor = &trust->anchors[i];
		bool is_root = anchor->profile.code == ATT_PASS && anchor->role == ATT_INTEL_ROOT && att_intel_issued(anchor, anchor);
		bool signs_itself = walk_cert(walk, anchor, anchor, i);
		if (walk->outcomes != NULL) {
			anchor->root = is_root && signs_itself ? (int32_t)i : -1;
		}
	}
	for (uint32_t i = 0; i < trust->num_issuers; i++) {
		att_intel_cert *ca = &trust->issuers[i];
		int32_t root = -1;
		for (uint32_t a = 0; a < trust->num_anchors; a++) {
			const att_intel_cert *anchor = &trust->anchors[a];
			bool fits = ca->profile.code == ATT_PASS && is_pck_ca(ca) && att_intel_issued(ca, anchor) && !same_key(ca, anchor);
			if (walk_cert(walk, ca, anchor, i) && fits && anchor->root == (int32_t)a && root < 0) {
				root = (int32_t)a;
			}
		}
		if (walk->outcomes != NULL) {
			ca->root = root;
		}
	}
}

uint64_t att_intel_trust_jobs(const att_intel_trust *trust, att_sig_job *jobs) {
	job_walk walk = {jobs, NULL, 0};
	walk_trust(&walk, trust);
	return walk.num;
}

void att_intel_trust_finish(att_intel_trust *trust, const att_sig_job *jobs) {
	job_walk walk = {NULL, jobs, 0};
	walk_trust(&walk, trust);
}

int32_t att_intel_anchor_of(const att_intel_trust *trust, const att_intel_cert *root) {
	for (uint32_t i = 0; i < trust->num_anchors; i++) {
		if (trust->anchors[i].root == (int32_t)i && memcmp(trust->anchors[i].sha256, root->sha256, 32) == 0) {
			return (int32_t)i;
		}
	}
	return -1;
}

int32_t att_intel_anchor_named(const att_intel_trust *trust, const uint8_t *name, uint32_t name_len, const uint8_t *key_id,
                               uint32_t key_id_len) {
	for (uint32_t i = 0; i < trust->num_anchors; i++) {
		const att_intel_cert *anchor = &trust->anchors[i];
		if (anchor->root == (int32_t)i && same_bytes(name, name_len, anchor->subject, anchor->subject_len) &&
		    same_bytes(key_id, key_id_len, anchor->ski, anchor->ski_len)) {
			return (int32_t)i;
		}
	}
	return -1;
}

const att_intel_cert *att_intel_known_issuer(const att_intel_trust *trust, const att_intel_cert *ca, int32_t anchor) {
	for (uint32_t i = 0; i < trust->num_issuers; i++) {
		const att_intel_cert *known = &trust->issuers[i];
		if (anchor >= 0 && known->root == anchor && memcmp(known->sha256, ca->sha256, 32) == 0) {
			return known;
		}
	}
	return NULL;
}

/* ---- chains of collateral ------------------------------------------------------------------------------------------------ */

static att_finding judge_pair(const att_intel_trust *trust, uint32_t roles, uint16_t field, att_intel_pair *out) {
	const att_intel_cert *subject = &out->cert[0];
	const att_intel_cert *root = &out->cert[1];
	if (subject->profile.code != ATT_PASS) {
		return subject->profile;
	}
	if (root->profile.code != ATT_PASS) {
		return root->profile;
	}
	if ((roles >> subject->role & 1) == 0) {
		return att_found(ATT_CODE_CHAIN_NAMES, field, 0);
	}
	if (root->role != ATT_INTEL_ROOT || !att_intel_issued(root, root)) {
		return att_found(ATT_CODE_CHAIN_NAMES, ATT_FIELD_ROOT, 0);
	}
	if (!att_intel_issued(subject, root)) {
		return att_found(ATT_CODE_CHAIN_NAMES, field, 0);
	}
	if (same_key(subject, root)) {
		return att_found(ATT_CODE_CHAIN_KEY_REUSED, field, 0);
	}
	out->root_index = att_intel_anchor_of(trust, root);
	out->known = att_intel_known_issuer(trust, subject, out->root_index) != NULL;
	return out->root_index >= 0 ? att_pass() : att_found(ATT_CODE_ROOT_UNTRUSTED, ATT_FIELD_ROOT, 0);
}

void att_intel_pair_read(const att_intel_trust *trust, const uint8_t *pem, uint64_t pem_len, uint32_t roles, uint16_t field,
                         att_intel_pair *out) {
	memset(out, 0, sizeof *out);
	out->root_index = -1;
	if (pem_len == 0) {
		out->chain = att_found(ATT_CODE_COLLATERAL_MISSING, field, 0);
		return;
	}
	out->chain = att_intel_chain_read(pem, pem_len, 2, ATT_CODE_COLLATERAL_MALFORMED, field, out->cert);
	if (out->chain.code == ATT_PASS) {
		out->chain = judge_pair(trust, roles, field, out);
	}
}

static void copy_serial(att_serial *out, const att_intel_cert *cert) {
	out->len = cert->serial_len;
	memcpy(out->bytes, cert->serial, sizeof cert->serial);
}

bool att_tcb_signer_begin(const att_intel_trust *trust, const uint8_t *pem, uint64_t pem_len, uint16_t field, att_tcb_signer *out,
                          uint8_t work_sig[64], att_sig_job *job) {
	att_intel_pair pair;
	att_intel_pair_read(trust, pem, pem_len, UINT32_C(1) << ATT_INTEL_TCB_SIGNER, field, &pair);
	memset(out, 0, sizeof *out);
	out->chain = pair.chain;
	out->root_index = pair.root_index;
	for (int i = 0; i < 2; i++) {
		out->not_before[i] = pair.cert[i].not_before;
		out->not_after[i] = pair.cert[i].not_after;
		memcpy(out->sha256[i], pair.cert[i].sha256, 32);
	}
	copy_serial(&out->serial, &pair.cert[0]);
	memcpy(out->key, pair.cert[0].key, sizeof out->key);
	if (pair.chain.code != ATT_PASS) {
		return false;
	}
	out->chain = (att_finding){ATT_NOT_RUN, ATT_FIELD_NONE, 0}; /* until its signature is known */
	memcpy(work_sig, pair.cert[0].signature, 64);
	att_intel_job(job, pair.cert[0].tbs_sha256, work_sig, trust->anchors[pair.root_index].key, field);
	return true;
}

void att_tcb_signer_finish(att_tcb_signer *signer, uint16_t field, const att_sig_job *job) {
	signer->chain = job->outcome == ATT_SIG_VALID ? att_pass() : att_found(ATT_CODE_SIGNER_SIGNATURE, field, 0);
}

/* ---- one platform -------------------------------------------------------------------------------------------------------- */

enum { PCK = 0, CA = 1, ROOT = 2, NUM_PLACES = 3 };
enum { JOB_PCK = 0, JOB_CA = 1, JOB_QE = 2 };

typedef struct {
	const att_intel_trust *trust;
	const uint8_t *section;
	att_tdx_section parts;
	uint8_t qe_report[TDX_ENCLAVE_LEN];
	att_intel_cert certs[NUM_PLACES];
	att_tdx_platform *out;
	att_sig_job *jobs;
	uint64_t num_jobs;
} platform_walk;

/* SHA-256 of attestation key and authentication data, then zeros, are the QE's REPORTDATA (Intel QuoteLibReference, A.4). */
static bool key_is_bound(const platform_walk *w) {
	uint8_t message[TDX_KEY_LEN + UINT16_MAX];
	uint8_t hash[32];
	const uint8_t *data = w->qe_report + TDX_AT_SGX_REPORT_DATA;
	memcpy(message, w->out->key, TDX_KEY_LEN);
	memcpy(message + TDX_KEY_LEN, w->section + w->parts.auth.offset, w->parts.auth.len);
	att_sha256(message, TDX_KEY_LEN + (uint64_t)w->parts.auth.len, hash);
	return memcmp(data, hash, sizeof hash) == 0 && att_first_nonzero(data + 32, 32) == 32;
}

static void read_qe(platform_walk *w) {
	att_tdx_platform *out = w->out;
	memcpy(w->qe_report, w->section + w->parts.qe_report.offset, sizeof w->qe_report);
	memcpy(out->key, w->section, sizeof out->key);
	out->qe_misc_select = att_load_le32(w->qe_report + TDX_AT_SGX_MISC_SELECT);
	out->qe_isv_prod_id = (uint16_t)(w->qe_report[TDX_AT_SGX_ISV_PROD_ID] | w->qe_report[TDX_AT_SGX_ISV_PROD_ID + 1] << 8);
	out->qe_isv_svn = (uint16_t)(w->qe_report[TDX_AT_SGX_ISV_SVN] | w->qe_report[TDX_AT_SGX_ISV_SVN + 1] << 8);
	memcpy(out->qe_attributes, w->qe_report + TDX_AT_SGX_ATTRIBUTES, sizeof out->qe_attributes);
	memcpy(out->qe_mr_signer, w->qe_report + TDX_AT_SGX_MR_SIGNER, sizeof out->qe_mr_signer);
	out->key_binding = key_is_bound(w) ? att_pass()
	                                   : att_found(ATT_CODE_ATTESTATION_KEY, ATT_FIELD_QE_REPORT,
	                                               w->parts.qe_report.offset + TDX_AT_SGX_REPORT_DATA);
}

/* The chain in the quote, or the one that came apart for a quote that has none. */
static att_finding read_chain(platform_walk *w, const uint8_t *chain, uint64_t chain_len) {
	att_span data = w->parts.certification;
	uint16_t type = w->parts.certification_type;
	if (type == TDX_CERTIFICATION_CHAIN) {
		att_finding f = att_intel_chain_read(w->section + data.offset, data.len, NUM_PLACES, ATT_CODE_CERTIFICATION_DATA,
		                                     ATT_FIELD_CERTIFICATION, w->certs);
		f.offset += f.code != ATT_PASS ? data.offset : 0;
		return f;
	}
	if (type < TDX_CERTIFICATION_PPID || type > TDX_CERTIFICATION_CHAIN) {
		return att_found(ATT_CODE_CERTIFICATION_TYPE, ATT_FIELD_QE_CERTIFICATION_TYPE, data.offset - 6);
	}
	if (chain == NULL || chain_len == 0) {
		return att_found(ATT_CODE_CERT_MISSING, ATT_FIELD_PCK, 0);
	}
	return att_intel_chain_read(chain, chain_len, NUM_PLACES, ATT_CODE_COLLATERAL_MALFORMED, ATT_FIELD_CERT_SET, w->certs);
}

static void copy_places(platform_walk *w) {
	att_tdx_platform *out = w->out;
	for (int i = 0; i < NUM_PLACES; i++) {
		const att_intel_cert *cert = &w->certs[i];
		out->not_before[i] = cert->not_before;
		out->not_after[i] = cert->not_after;
		copy_serial(&out->serial[i], cert);
		memcpy(out->sha256[i], cert->sha256, 32);
		memcpy(out->spki_sha256[i], cert->spki_sha256, 32);
	}
	out->ca = w->certs[CA].role;
	out->ca_subject_len = w->certs[CA].subject_len;
	memcpy(out->ca_subject, w->certs[CA].subject, sizeof out->ca_subject);
	memcpy(out->ca_key, w->certs[CA].key, sizeof out->ca_key);
	out->pck = w->certs[PCK].pck;
	out->pck_profile = w->certs[PCK].profile;
	out->ca_profile = w->certs[CA].profile;
}

/* One key, one place: a CA that signs quotes with its own key, or a QE that signs them with the platform's, is not Intel's. */
static att_finding judge_keys(const platform_walk *w) {
	const att_intel_cert *pck = &w->certs[PCK];
	if (same_key(pck, &w->certs[CA]) || same_key(pck, &w->certs[ROOT])) {
		return att_found(ATT_CODE_CHAIN_KEY_REUSED, ATT_FIELD_PCK, 0);
	}
	if (same_key(&w->certs[CA], &w->certs[ROOT])) {
		return att_found(ATT_CODE_CHAIN_KEY_REUSED, ATT_FIELD_PCK_CA, 0);
	}
	if (att_intel_has_key(pck->key) && memcmp(pck->key, w->out->key, sizeof pck->key) == 0) {
		return att_found(ATT_CODE_CHAIN_KEY_REUSED, ATT_FIELD_ATTESTATION_KEY, 0);
	}
	return att_pass();
}

static att_finding judge_names(const platform_walk *w) {
	const att_intel_cert *certs = w->certs;
	if (certs[PCK].role != ATT_INTEL_PCK || !att_intel_issued(&certs[PCK], &certs[CA])) {
		return att_found(ATT_CODE_CHAIN_NAMES, ATT_FIELD_PCK, 0);
	}
	if (!is_pck_ca(&certs[CA]) || !att_intel_issued(&certs[CA], &certs[ROOT])) {
		return att_found(ATT_CODE_CHAIN_NAMES, ATT_FIELD_PCK_CA, 0);
	}
	if (certs[ROOT].role != ATT_INTEL_ROOT || !att_intel_issued(&certs[ROOT], &certs[ROOT])) {
		return att_found(ATT_CODE_CHAIN_NAMES, ATT_FIELD_ROOT, 0);
	}
	return judge_keys(w);
}

/* A certificate without a signature that could be read has said so in its profile. */
static bool has_signature(const att_intel_cert *cert) {
	return cert->profile.code == ATT_PASS || att_first_nonzero(cert->signature, 64) < 64;
}

static void queue(platform_walk *w, int job, const uint8_t digest[32], const uint8_t *sig, const uint8_t *key) {
	memcpy(w->out->work_sig[job], sig, 64);
	w->out->work_job[job] = (int32_t)w->num_jobs;
	att_intel_job(&w->jobs[w->num_jobs], digest, w->out->work_sig[job], key, (uint32_t)w->num_jobs);
	w->num_jobs++;
}

/* Without a trusted root there is no key to judge the CA by; the root's finding says so. */
static void queue_jobs(platform_walk *w) {
	att_tdx_platform *out = w->out;
	const att_intel_cert *pck = &w->certs[PCK];
	const att_intel_cert *ca = &w->certs[CA];
	if (att_intel_has_key(out->ca_key) && has_signature(pck)) {
		queue(w, JOB_PCK, pck->tbs_sha256, pck->signature, out->ca_key);
	}
	if (att_intel_known_issuer(w->trust, ca, out->root_index) != NULL) {
		out->ca_signature = att_pass();
	} else if (out->root_index >= 0 && has_signature(ca)) {
		queue(w, JOB_CA, ca->tbs_sha256, ca->signature, w->trust->anchors[out->root_index].key);
	}
	if (att_intel_has_key(pck->key)) {
		uint8_t digest[32];
		att_sha256(w->qe_report, sizeof w->qe_report, digest);
		memcpy(out->work_key, pck->key, sizeof out->work_key);
		queue(w, JOB_QE, digest, w->section + w->parts.qe_signature.offset, out->work_key);
	}
}

/* ---- certification data without a chain ------------------------------------------------------------------------------------ */

static att_finding mismatch(uint32_t offset) {
	return att_found(ATT_CODE_CERTIFICATION_MISMATCH, ATT_FIELD_CERTIFICATION, offset);
}

/* The identity of a PCK certificate: PPID, in the open in type 1 alone, then CPUSVN, PCESVN and PCEID. */
static att_finding match_identity(const platform_walk *w, uint32_t ppid_len, bool is_plain) {
	const att_pck_info *pck = &w->certs[PCK].pck;
	att_span data = w->parts.certification;
	if (data.len != ppid_len + TDX_PCK_ID_LEN) {
		return att_found(ATT_CODE_CERTIFICATION_DATA, ATT_FIELD_CERTIFICATION, data.offset);
	}
	uint32_t at = data.offset + ppid_len;
	const uint8_t *id = w->section + at;
	uint8_t pce_svn[2] = {(uint8_t)pck->pce_svn, (uint8_t)(pck->pce_svn >> 8)};
	if (is_plain && memcmp(w->section + data.offset, pck->ppid, sizeof pck->ppid) != 0) {
		return mismatch(data.offset);
	}
	if (memcmp(id + TDX_AT_PCK_ID_CPU_SVN, pck->cpu_svn, sizeof pck->cpu_svn) != 0) {
		return mismatch(at + TDX_AT_PCK_ID_CPU_SVN);
	}
	if (memcmp(id + TDX_AT_PCK_ID_PCE_SVN, pce_svn, sizeof pce_svn) != 0) {
		return mismatch(at + TDX_AT_PCK_ID_PCE_SVN);
	}
	if (memcmp(id + TDX_AT_PCK_ID_PCE_ID, pck->pce_id, sizeof pck->pce_id) != 0) {
		return mismatch(at + TDX_AT_PCK_ID_PCE_ID);
	}
	return att_pass();
}

/* The leaf itself, in PEM or DER: the very certificate that leads the chain. */
static att_finding match_leaf(const platform_walk *w) {
	att_span data = w->parts.certification;
	const uint8_t *p = w->section + data.offset;
	att_intel_cert leaf;
	if (data.len != 0 && p[0] == 0x30) {
		att_sha256(p, data.len, leaf.sha256);
	} else {
		att_finding f = att_intel_chain_read(p, data.len, 1, ATT_CODE_CERTIFICATION_DATA, ATT_FIELD_CERTIFICATION, &leaf);
		if (f.code != ATT_PASS) {
			f.offset += data.offset;
			return f;
		}
	}
	return memcmp(leaf.sha256, w->certs[PCK].sha256, 32) == 0 ? att_pass() : mismatch(data.offset);
}

static att_finding match_certification(const platform_walk *w) {
	switch (w->parts.certification_type) {
	case TDX_CERTIFICATION_PPID:
		return match_identity(w, TDX_PPID_LEN, true);
	case TDX_CERTIFICATION_PPID_2048:
		return match_identity(w, TDX_PPID_2048_LEN, false);
	case TDX_CERTIFICATION_PPID_3072:
		return match_identity(w, TDX_PPID_3072_LEN, false);
	case TDX_CERTIFICATION_PCK:
		return match_leaf(w);
	default:
		return (att_finding){ATT_NOT_RUN, ATT_FIELD_NONE, 0};
	}
}

/* ---- many platforms ------------------------------------------------------------------------------------------------------ */

static void begin_platform(platform_walk *w, const att_rows *chains, uint64_t row) {
	att_tdx_platform *out = w->out;
	const uint8_t *chain = NULL;
	uint64_t chain_len = 0;
	read_qe(w);
	if (chains != NULL && !att_row_at(chains, row, &chain, &chain_len)) {
		chain = NULL;
	}
	out->chain = read_chain(w, chain, chain_len);
	if (out->chain.code != ATT_PASS) {
		return;
	}
	copy_places(w);
	out->root_index = att_intel_anchor_of(w->trust, &w->certs[ROOT]);
	out->root = out->root_index >= 0 ? att_pass() : att_found(ATT_CODE_ROOT_UNTRUSTED, ATT_FIELD_ROOT, 0);
	out->names = judge_names(w);
	if (w->certs[PCK].profile.code == ATT_PASS) {
		out->certification = match_certification(w);
	}
	queue_jobs(w);
}

uint64_t att_tdx_platform_begin(const att_intel_trust *trust, const att_rows *sections, const uint16_t *type,
                                const att_rows *chains, att_tdx_platform *out, att_sig_job *jobs) {
	uint64_t num_jobs = 0;
	for (uint64_t i = 0; i < sections->n; i++) {
		platform_walk w;
		uint64_t len;
		memset(&out[i], 0, sizeof out[i]);
		out[i].root_index = -1;
		out[i].work_job[JOB_PCK] = out[i].work_job[JOB_CA] = out[i].work_job[JOB_QE] = -1;
		out[i].chain = att_found(ATT_CODE_CERTIFICATION_DATA, ATT_FIELD_CERTIFICATION, 0);
		if (!att_row_at(sections, i, &w.section, &len) || len > ATT_QUOTE_MAX_BYTES ||
		    !att_tdx_section_read(w.section, (uint32_t)len, &w.parts) || w.parts.certification_type != type[i]) {
			continue;
		}
		w.trust = trust;
		w.out = &out[i];
		w.jobs = jobs;
		w.num_jobs = num_jobs;
		out[i].section = w.section;
		out[i].section_len = (uint32_t)len;
		out[i].certification_type = w.parts.certification_type;
		begin_platform(&w, chains, i);
		num_jobs = w.num_jobs;
	}
	return num_jobs;
}

static void finish_job(const att_tdx_platform *platform, int job, const att_sig_job *jobs, uint16_t code, uint16_t field,
                       uint32_t offset, att_finding *out) {
	int32_t i = platform->work_job[job];
	if (i >= 0) {
		*out = jobs[i].outcome == ATT_SIG_VALID ? att_pass() : att_found(code, field, offset);
	}
}

void att_tdx_platform_finish(const att_intel_trust *trust, att_tdx_platform *platforms, uint64_t n, const att_sig_job *jobs) {
	(void)trust;
	for (uint64_t i = 0; i < n; i++) {
		att_tdx_platform *p = &platforms[i];
		att_tdx_section parts = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, 0};
		if (p->section != NULL) {
			att_tdx_section_read(p->section, p->section_len, &parts);
		}
		finish_job(p, JOB_PCK, jobs, ATT_CODE_LEAF_SIGNATURE, ATT_FIELD_PCK, 0, &p->pck_signature);
		finish_job(p, JOB_CA, jobs, ATT_CODE_ISSUER_SIGNATURE, ATT_FIELD_PCK_CA, 0, &p->ca_signature);
		finish_job(p, JOB_QE, jobs, ATT_CODE_QE_REPORT_SIGNATURE, ATT_FIELD_QE_REPORT_SIGNATURE, parts.qe_signature.offset,
		           &p->qe_signature);
	}
}
