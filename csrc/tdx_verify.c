/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_verify.c: n quotes judged. For each row, in this order, all findings collected: parse, PCK chain, collateral, binding, TCB, policy,
 * and (as a job, with all others of the call) the quote's signature. What a QE section or a set of collateral says by itself was judged
 * before, once for each: here it is held against the row and its time. One row and a million rows run the same code.
 *
 * Sources: Intel SGX/TDX DCAP quote structures, versions 3 to 5; Intel PCS API, version 4 (TCB info, identities, CRLs); Intel's
 * verification library 1.27 for the order of things. Where we are stricter: docs/design/0003-tdx.md. */
#include "rows.h"
#include "tdx.h"
#include "tdx_layout.h"
#include "tdx_rows.h"

#define BIT(check) (UINT64_C(1) << ATT_TDX_CHECK_##check)

/* What a quote must pass whatever the policy says: all up to the kind of TEE, two aside that only some quotes have. All of it lies in the
 * first word of required checks; the second holds what was asked. */
static const uint64_t ALWAYS = ((BIT(TEE_ALLOWED) << 1) - 1) & ~(BIT(CERTIFICATION_MATCH) | BIT(MODULE));
_Static_assert(ATT_TDX_CHECK_TEE_ALLOWED < 63 && ATT_TDX_NUM_CHECKS <= 128, "two words of required checks");

/* What claims_verified stands for: all up to the TCB. The QE's identity is a part of it, and so its document and that document's
 * genuineness: the PCK certifies the report of any enclave that may use the provisioning key, and only the identity tells Intel's
 * QE from one that signs whatever it is given. */
static const uint64_t GENUINE = BIT(TCB_LEVEL) - 1;

#define LAST_TIME INT64_C(253402300799) /* 9999-12-31T23:59:59Z, as far as X.509 dates reach */

static void require(att_tdx_row *row, uint32_t check) { row->required[check / 64] |= UINT64_C(1) << (check % 64); }

#define PASSED(row, check) att_tdx_row_passed((row), ATT_TDX_CHECK_##check)

static bool is_tdx(const att_tdx_row *row) { return row->quote.body_type != ATT_BODY_SGX; }

/* ---- time ---------------------------------------------------------------------------------------------------------------- */

/* Both ends belong to it (RFC 5280 4.1.2.5). */
static att_finding within(int64_t at, int64_t begin, int64_t end, att_finding early, att_finding late) {
	return at > end ? late : at < begin ? early : att_pass();
}

static att_finding cert_within(int64_t at, int64_t begin, int64_t end, uint16_t field) {
	return within(at, begin, end, att_found(ATT_CODE_CERT_NOT_YET_VALID, field, 0), att_found(ATT_CODE_CERT_EXPIRED, field, 0));
}

static att_finding crl_within(int64_t at, const att_intel_crl *crl) {
	return within(at, crl->this_update, crl->next_update, att_found(ATT_CODE_CRL_NOT_YET_VALID, ATT_FIELD_CRL_THIS_UPDATE, 0),
	              att_found(ATT_CODE_CRL_EXPIRED, ATT_FIELD_CRL_NEXT_UPDATE, 0));
}

/* ---- PCK chain ----------------------------------------------------------------------------------------------------------- */

static bool present(const uint8_t sha256[32]) { return att_first_nonzero(sha256, 32) < 32; }

static void judge_chain_validity(att_tdx_row *row) {
	static const uint32_t checks[3] = {ATT_TDX_CHECK_PCK_VALIDITY, ATT_TDX_CHECK_PCK_CA_VALIDITY, ATT_TDX_CHECK_ROOT_VALIDITY};
	static const uint16_t fields[3] = {ATT_FIELD_PCK, ATT_FIELD_PCK_CA, ATT_FIELD_ROOT};
	const att_tdx_platform *p = row->platform;
	for (int place = 0; place < 3; place++) {
		if (row->timely && present(p->sha256[place])) {
			row->findings[checks[place]] = cert_within(row->at, p->not_before[place], p->not_after[place], fields[place]);
			att_tdx_row_ends(row, p->not_after[place]);
		}
	}
}

static void judge_chain(att_tdx_row *row) {
	const att_tdx_platform *p = row->platform;
	uint32_t section = row->quote.section.offset;
	TDX_SET(row->findings, PCK_CHAIN, att_tdx_section_finding(p->chain, section));
	TDX_SET(row->findings, PCK_PROFILE, p->pck_profile);
	TDX_SET(row->findings, PCK_CA_PROFILE, p->ca_profile);
	TDX_SET(row->findings, PCK_ROOT, p->root);
	TDX_SET(row->findings, PCK_NAMES, p->names);
	TDX_SET(row->findings, PCK_SIGNATURE, p->pck_signature);
	TDX_SET(row->findings, PCK_CA_SIGNATURE, p->ca_signature);
	TDX_SET(row->findings, CERTIFICATION_MATCH, att_tdx_section_finding(p->certification, section));
	TDX_SET(row->findings, QE_REPORT_SIGNATURE, att_tdx_section_finding(p->qe_signature, section));
	TDX_SET(row->findings, KEY_BINDING, att_tdx_section_finding(p->key_binding, section));
	if (p->certification_type != TDX_CERTIFICATION_CHAIN) {
		require(row, ATT_TDX_CHECK_CERTIFICATION_MATCH);
	}
	judge_chain_validity(row);
}

/* ---- CRLs ---------------------------------------------------------------------------------------------------------------- */

static int compare_serials(const att_serial *a, const att_serial *b) {
	return a->len != b->len ? (int)a->len - (int)b->len : memcmp(a->bytes, b->bytes, a->len);
}

static bool lists_serial(const att_tdx_collateral *c, const att_intel_crl *crl, const att_serial *serial) {
	uint64_t low = crl->first_revoked;
	uint64_t high = low + crl->num_revoked;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int order = compare_serials(&c->serials[middle], serial);
		if (order == 0) {
			return true;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

/* A root issued again under the same name and key is the same authority. */
static bool same_anchor(const att_intel_trust *trust, int32_t a, int32_t b) {
	if (a < 0 || b < 0 || (uint32_t)a >= trust->num_anchors || (uint32_t)b >= trust->num_anchors) {
		return false;
	}
	const att_intel_cert *x = &trust->anchors[a];
	const att_intel_cert *y = &trust->anchors[b];
	return x->subject_len == y->subject_len && memcmp(x->subject, y->subject, x->subject_len) == 0 &&
	       memcmp(x->key, y->key, sizeof x->key) == 0;
}

static void judge_root_crl(att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	att_finding found = c->root_crl_genuine;
	if (found.code == ATT_PASS && row->platform != NULL && row->platform->root_index >= 0 &&
	    !same_anchor(row->plan->trust, c->root_crl_index, row->platform->root_index)) {
		found = att_found(ATT_CODE_CRL_ISSUER, ATT_FIELD_ROOT_CRL, 0);
	}
	if (found.code == ATT_PASS) {
		found = row->timely ? crl_within(row->at, &c->root_crl) : (att_finding){ATT_NOT_RUN, ATT_FIELD_NONE, 0};
		att_tdx_row_ends(row, c->root_crl.next_update);
	}
	TDX_SET(row->findings, ROOT_CRL, found);
}

/* The CA is told by name and key: Platform and Processor CA each have a list of their own. Its certificate beside the list may be
 * another than the one in the chain, and must be valid too. */
static att_finding judge_pck_crl_issuer(const att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	const att_tdx_platform *p = row->platform;
	bool same = c->pck_crl_issuer_len == p->ca_subject_len && memcmp(c->pck_crl_issuer, p->ca_subject, p->ca_subject_len) == 0 &&
	            memcmp(c->pck_crl_key, p->ca_key, sizeof p->ca_key) == 0;
	if (!same) {
		return att_found(ATT_CODE_CRL_ISSUER, ATT_FIELD_PCK_CRL, 0);
	}
	att_finding found = cert_within(row->at, c->pck_crl_issuer_not_before, c->pck_crl_issuer_not_after, ATT_FIELD_PCK_CA);
	return found.code != ATT_PASS ? found : crl_within(row->at, &c->pck_crl);
}

static void judge_pck_crl(att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	att_finding found = c->pck_crl_genuine;
	if (found.code == ATT_PASS) {
		found = (att_finding){ATT_NOT_RUN, ATT_FIELD_NONE, 0};
		if (row->timely && row->platform != NULL && present(row->platform->sha256[1])) {
			found = judge_pck_crl_issuer(row);
		}
		att_tdx_row_ends(row, c->pck_crl.next_update);
		att_tdx_row_ends(row, c->pck_crl_issuer_not_after);
	}
	TDX_SET(row->findings, PCK_CRL, found);
}

static att_finding revocation(const att_tdx_row *row, const att_intel_crl *crl, const att_serial *serial, uint16_t field) {
	return lists_serial(row->collateral, crl, serial) ? att_found(ATT_CODE_CERT_REVOKED, field, 0) : att_pass();
}

/* The PCK CA's list speaks of PCK certificates, the root's of all that the root signed, itself included. */
static void judge_chain_revocation(att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	const att_tdx_platform *p = row->platform;
	if (PASSED(row, PCK_CRL) && present(p->sha256[0])) {
		TDX_SET(row->findings, PCK_REVOCATION, revocation(row, &c->pck_crl, &p->serial[0], ATT_FIELD_PCK));
	}
	if (PASSED(row, ROOT_CRL) && p->root_index >= 0 && present(p->sha256[1])) {
		att_finding ca = revocation(row, &c->root_crl, &p->serial[1], ATT_FIELD_PCK_CA);
		att_finding root = revocation(row, &c->root_crl, &p->serial[2], ATT_FIELD_ROOT);
		TDX_SET(row->findings, PCK_CA_REVOCATION, ca.code != ATT_PASS ? ca : root);
	}
}

/* ---- TCB info and QE identity -------------------------------------------------------------------------------------------- */

/* The three checks of a document's signing chain stand one after the other. */
static void judge_signer(att_tdx_row *row, const att_tcb_signer *signer, uint32_t check, uint16_t field) {
	row->findings[check] = signer->chain;
	if (signer->chain.code != ATT_PASS) {
		return;
	}
	if (row->timely) {
		att_finding leaf = cert_within(row->at, signer->not_before[0], signer->not_after[0], field);
		att_finding root = cert_within(row->at, signer->not_before[1], signer->not_after[1], ATT_FIELD_ROOT);
		row->findings[check + 1] = leaf.code != ATT_PASS ? leaf : root;
	}
	if (PASSED(row, ROOT_CRL)) {
		bool covered = same_anchor(row->plan->trust, row->collateral->root_crl_index, signer->root_index);
		row->findings[check + 2] = covered ? revocation(row, &row->collateral->root_crl, &signer->serial, field)
		                                   : att_found(ATT_CODE_CRL_ISSUER, ATT_FIELD_ROOT_CRL, 0);
	}
	att_tdx_row_ends(row, signer->not_after[0]);
	att_tdx_row_ends(row, signer->not_after[1]);
}

_Static_assert(ATT_TDX_CHECK_TCB_SIGNER + 1 == ATT_TDX_CHECK_TCB_SIGNER_VALIDITY &&
                   ATT_TDX_CHECK_TCB_SIGNER + 2 == ATT_TDX_CHECK_TCB_SIGNER_REVOCATION &&
                   ATT_TDX_CHECK_QE_SIGNER + 1 == ATT_TDX_CHECK_QE_SIGNER_VALIDITY &&
                   ATT_TDX_CHECK_QE_SIGNER + 2 == ATT_TDX_CHECK_QE_SIGNER_REVOCATION,
               "judge_signer writes three checks in a row");

/* TDX has TCB info of version 3 alone; SGX had version 2 first, whose components are the same (PCS API v3 and v4). */
static att_finding tcb_info_fits(const att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	if (c->tcb_tee != (is_tdx(row) ? (uint32_t)ATT_TEE_TDX : (uint32_t)ATT_TEE_SGX)) {
		return att_found(ATT_CODE_TCB_INFO_UNSUPPORTED, ATT_FIELD_JSON_ID, 0);
	}
	bool known = c->tcb_version == 3 || (c->tcb_version == 2 && !is_tdx(row));
	return known ? att_pass() : att_found(ATT_CODE_TCB_INFO_UNSUPPORTED, ATT_FIELD_JSON_VERSION, 0);
}

static att_finding platform_fits(const att_tdx_row *row) {
	const att_pck_info *pck = &row->platform->pck;
	if (memcmp(row->collateral->fmspc, pck->fmspc, sizeof pck->fmspc) != 0) {
		return att_found(ATT_CODE_FMSPC, ATT_FIELD_JSON_FMSPC, 0);
	}
	return memcmp(row->collateral->pce_id, pck->pce_id, sizeof pck->pce_id) == 0
	           ? att_pass()
	           : att_found(ATT_CODE_PCE_ID, ATT_FIELD_JSON_PCE_ID, 0);
}

static void judge_tcb_info(att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	judge_signer(row, &c->tcb_signer, ATT_TDX_CHECK_TCB_SIGNER, ATT_FIELD_TCB_SIGNER);
	TDX_SET(row->findings, TCB_INFO, c->tcb_info.code == ATT_PASS ? tcb_info_fits(row) : c->tcb_info);
	TDX_SET(row->findings, TCB_INFO_SIGNATURE, c->tcb_info_signature);
	if (c->tcb_info.code != ATT_PASS) {
		return;
	}
	if (row->timely) {
		TDX_SET(row->findings, TCB_INFO_VALIDITY,
		        within(row->at, c->tcb_issue_date, c->tcb_next_update,
		               att_found(ATT_CODE_TCB_INFO_NOT_YET_VALID, ATT_FIELD_JSON_ISSUE_DATE, 0),
		               att_found(ATT_CODE_TCB_INFO_EXPIRED, ATT_FIELD_JSON_NEXT_UPDATE, 0)));
	}
	att_tdx_row_ends(row, c->tcb_next_update);
	if (PASSED(row, PCK_PROFILE)) {
		TDX_SET(row->findings, TCB_INFO_PLATFORM, platform_fits(row));
	}
}

/* Identities have one version since SGX's second (PCS API v3 and v4); the QE of a TDX quote is the TD_QE. */
static att_finding identity_fits(const att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	if (c->identity_id != (is_tdx(row) ? TDX_IDENTITY_TD_QE : TDX_IDENTITY_QE)) {
		return att_found(ATT_CODE_QE_IDENTITY_UNSUPPORTED, ATT_FIELD_JSON_ID, 0);
	}
	return c->identity_version == 2 ? att_pass() : att_found(ATT_CODE_QE_IDENTITY_UNSUPPORTED, ATT_FIELD_JSON_VERSION, 0);
}

static void judge_identity(att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	judge_signer(row, &c->identity_signer, ATT_TDX_CHECK_QE_SIGNER, ATT_FIELD_QE_SIGNER);
	TDX_SET(row->findings, QE_IDENTITY, c->identity.code == ATT_PASS ? identity_fits(row) : c->identity);
	TDX_SET(row->findings, QE_IDENTITY_SIGNATURE, c->identity_signature);
	if (c->identity.code != ATT_PASS) {
		return;
	}
	if (row->timely) {
		TDX_SET(row->findings, QE_IDENTITY_VALIDITY,
		        within(row->at, c->identity_issue_date, c->identity_next_update,
		               att_found(ATT_CODE_QE_IDENTITY_NOT_YET_VALID, ATT_FIELD_JSON_ISSUE_DATE, 0),
		               att_found(ATT_CODE_QE_IDENTITY_EXPIRED, ATT_FIELD_JSON_NEXT_UPDATE, 0)));
	}
	att_tdx_row_ends(row, c->identity_next_update);
}

static void judge_collateral(att_tdx_row *row) {
	judge_root_crl(row);
	judge_pck_crl(row);
	if (row->platform != NULL) {
		judge_chain_revocation(row);
	}
	judge_tcb_info(row);
	judge_identity(row);
}

/* ---- QE ------------------------------------------------------------------------------------------------------------------ */

/* Intel masks the report's side alone (QVL EnclaveReportVerifier): an identity that has a bit outside its mask fits no QE. */
static bool masked_equal(const uint8_t *reported, const uint8_t *expected, const uint8_t *mask, uint32_t n) {
	uint8_t differing = 0;
	for (uint32_t i = 0; i < n; i++) {
		differing |= (uint8_t)((reported[i] & mask[i]) ^ expected[i]);
	}
	return differing == 0;
}

static att_finding qe_fits(const att_tdx_row *row) {
	const att_tdx_collateral *c = row->collateral;
	const att_tdx_platform *p = row->platform;
	uint32_t report = row->quote.qe_report.offset;
	if (memcmp(p->qe_mr_signer, c->mr_signer, sizeof p->qe_mr_signer) != 0) {
		return att_found(ATT_CODE_QE_MRSIGNER, ATT_FIELD_SGX_MR_SIGNER, report + TDX_AT_SGX_MR_SIGNER);
	}
	if (p->qe_isv_prod_id != c->isv_prod_id) {
		return att_found(ATT_CODE_QE_ISVPRODID, ATT_FIELD_SGX_ISV_PROD_ID, report + TDX_AT_SGX_ISV_PROD_ID);
	}
	if ((p->qe_misc_select & c->misc_select_mask) != c->misc_select) {
		return att_found(ATT_CODE_QE_MISCSELECT, ATT_FIELD_SGX_MISC_SELECT, report + TDX_AT_SGX_MISC_SELECT);
	}
	return masked_equal(p->qe_attributes, c->attributes, c->attributes_mask, sizeof p->qe_attributes)
	           ? att_pass()
	           : att_found(ATT_CODE_QE_ATTRIBUTES, ATT_FIELD_SGX_ATTRIBUTES, report + TDX_AT_SGX_ATTRIBUTES);
}

/* Whoever owns the host reads the keys of a QE in debug mode: never, whatever an identity's mask leaves open. */
static void judge_qe(att_tdx_row *row) {
	if (row->platform->qe_attributes[0] & SGX_ATTRIBUTES_DEBUG) {
		TDX_SET(row->findings, QE_MATCH,
		        att_found(ATT_CODE_QE_ATTRIBUTES, ATT_FIELD_SGX_ATTRIBUTES, row->quote.qe_report.offset + TDX_AT_SGX_ATTRIBUTES));
	} else if (PASSED(row, QE_IDENTITY)) {
		TDX_SET(row->findings, QE_MATCH, qe_fits(row));
	}
}

/* ---- TCB ----------------------------------------------------------------------------------------------------------------- */

/* Levels mean something only in genuine documents that are this platform's and this QE's; that they are out of date is told beside the
 * status, not instead of it. */
static bool levels_apply(const att_tdx_row *row) {
	return PASSED(row, PCK_PROFILE) && PASSED(row, TCB_SIGNER) && PASSED(row, TCB_INFO) && PASSED(row, TCB_INFO_SIGNATURE) &&
	       PASSED(row, TCB_INFO_PLATFORM) && PASSED(row, QE_SIGNER) && PASSED(row, QE_IDENTITY) &&
	       PASSED(row, QE_IDENTITY_SIGNATURE) && PASSED(row, QE_MATCH);
}

static void judge_tcb(att_tdx_row *row) {
	const att_tdx_platform *p = row->platform;
	const att_span *body = &row->quote.body;
	att_tdx_evaluate(row->collateral, &p->pck, p->qe_isv_svn, row->quote.body_type, row->bytes + body->offset, body->offset, &row->tcb);
	TDX_SET(row->findings, MODULE, row->tcb.module_match);
	TDX_SET(row->findings, TCB_LEVEL, row->tcb.found);
}

static void no_result(att_tcb_result *out) {
	memset(out, 0, sizeof *out);
	out->date = out->current_date = ATT_NO_TIME;
	for (int i = 0; i < 2; i++) {
		out->level[i] = out->module[i] = out->module_level[i] = -1;
	}
	out->qe_level = -1;
}

/* ---- signature ----------------------------------------------------------------------------------------------------------- */

/* Over header and body as received (version 5: with the descriptor between them), by the key that the quote brings: that this key is the
 * QE's is KEY_BINDING's to say. Range of r and s and the curve are the engine's. */
static bool queue_signature(const att_tdx_row *row, uint64_t i, att_tdx_work *work, att_sig_job *job) {
	const att_tdx_quote *q = &row->quote;
	if (q->signature.len != sizeof work->sig || q->key.len != sizeof work->key || q->signed_part.len == 0) {
		return false;
	}
	memcpy(work->sig, row->bytes + q->signature.offset, sizeof work->sig);
	memcpy(work->key, row->bytes + q->key.offset, sizeof work->key);
	work->signature_offset = q->signature.offset;
	memset(job, 0, sizeof *job);
	job->algorithm = ATT_ECDSA_P256;
	job->key = work->key;
	job->key_len = sizeof work->key;
	job->sig = work->sig;
	job->sig_len = sizeof work->sig;
	job->digest_len = 32;
	job->tag = (uint32_t)i;
	att_sha256(row->bytes + q->signed_part.offset, q->signed_part.len, job->digest);
	return true;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

/* The platform that the caller found for this row's QE section: that it is this section's is not taken on trust. */
static void find_platform(att_tdx_row *row, uint64_t i) {
	const att_tdx_plan *plan = row->plan;
	int64_t index = plan->platform_index[i];
	if (index < 0 || (uint64_t)index >= plan->num_platforms || row->quote.section.len == 0) {
		return;
	}
	const att_tdx_platform *p = plan->platforms[index];
	const att_span *section = &row->quote.section;
	if (p->section_len == section->len && memcmp(p->section, row->bytes + section->offset, section->len) == 0 &&
	    p->certification_type == row->quote.certification_type &&
	    memcmp(p->key, row->bytes + row->quote.key.offset, sizeof p->key) == 0) {
		row->platform = p;
	} else {
		TDX_SET(row->findings, PCK_CHAIN, att_found(ATT_CODE_INTERNAL, ATT_FIELD_QE_REPORT, section->offset));
	}
}

static void find_collateral(att_tdx_row *row, uint64_t i) {
	const att_tdx_plan *plan = row->plan;
	int64_t index = plan->collateral_index != NULL ? plan->collateral_index[i] : 0;
	if (index < 0 || (uint64_t)index >= plan->num_collaterals) {
		TDX_SET(row->findings, COLLATERAL, att_found(ATT_CODE_COLLATERAL_MISSING, ATT_FIELD_COLLATERAL, 0));
		return;
	}
	TDX_SET(row->findings, COLLATERAL, plan->collaterals[index]->error);
	if (PASSED(row, COLLATERAL)) {
		row->collateral = plan->collaterals[index];
	}
}

static uint32_t omissions_of(const att_tdx_row *row) {
	const att_tdx_policy *p = row->plan->policy;
	uint32_t omitted = p->report_data_len == 0 ? ATT_OMIT_REPORT_DATA : 0;
	if (is_tdx(row)) {
		return omitted | (p->mr_tds_48.num == 0 ? (uint32_t)ATT_OMIT_MR_TD : 0u);
	}
	bool named = p->mr_enclaves_32.num != 0 || p->mr_signers_32.num != 0;
	return omitted | (named ? 0u : (uint32_t)ATT_OMIT_MEASUREMENT);
}

static bool readable(const att_tdx_row *row) {
	return row->parsed && PASSED(row, VERSION) && PASSED(row, TEE_TYPE) && PASSED(row, KEY_TYPE);
}

static void judge_row(att_tdx_row *row, uint64_t i) {
	TDX_SET(row->findings, TIME, row->timely ? att_pass() : att_found(ATT_CODE_TIME_MISSING, ATT_FIELD_EVALUATION_TIME, 0));
	if (is_tdx(row)) {
		require(row, ATT_TDX_CHECK_MODULE);
	}
	find_platform(row, i);
	find_collateral(row, i);
	if (row->platform != NULL) {
		judge_chain(row);
	}
	if (row->collateral != NULL) {
		judge_collateral(row);
	}
	if (row->platform != NULL) {
		judge_qe(row);
	}
	if (levels_apply(row)) {
		judge_tcb(row);
	}
	att_tdx_apply_policy(row);
	row->omissions |= omissions_of(row);
}

/* A row longer than any quote is not copied: its length is all that is read of it. */
static void load_row(att_tdx_row *row, const att_tdx_plan *plan, uint64_t i) {
	const uint8_t *data;
	uint64_t len;
	memset(row, 0, sizeof *row);
	row->plan = plan;
	row->required[0] = ALWAYS;
	row->valid_until = ATT_NO_TIME;
	row->at = plan->at[plan->at_stride * i];
	row->timely = row->at >= 0 && row->at <= LAST_TIME;
	no_result(&row->tcb);
	bool there = att_row(&plan->quotes, i, &data, &len);
	row->len = len;
	if (there && len <= ATT_QUOTE_MAX_BYTES) {
		memcpy(plan->copy, data, (size_t)len);
		row->bytes = data = plan->copy;
	}
	row->parsed = att_tdx_parse(there ? data : NULL, len, &row->quote, row->findings) != 0 && row->bytes != NULL;
}

/* Claims are shown when no parse check failed; those come before the chain. */
static bool shows_claims(const att_tdx_row *row) {
	for (uint32_t c = 0; c < ATT_TDX_CHECK_PCK_CHAIN; c++) {
		if (row->findings[c].code > ATT_PASS && att_code_category(row->findings[c].code) == ATT_CATEGORY_PARSE) {
			return false;
		}
	}
	return row->parsed;
}

/* The TEE, as far as header and version tell it, whatever comes behind them. */
static uint8_t tee_of(const att_tdx_row *row) {
	const att_tdx_quote *q = &row->quote;
	if (q->version < 3 || q->version > 5 || row->findings[ATT_TDX_CHECK_TEE_TYPE].code == ATT_CODE_TEE_TYPE) {
		return 0;
	}
	return q->tee == ATT_TEE_TDX && q->version != 3 ? 1 : q->tee == ATT_TEE_SGX ? 2 : 0;
}

/* A keyed hash of what stands before the QE section (which is the platform's, byte for byte), and the length. */
static uint64_t mark_of(const att_tdx_row *row) {
	uint64_t head = row->parsed && row->quote.section.len != 0 ? row->quote.section.offset : row->len;
	uint64_t mark = row->bytes != NULL ? att_sip13(row->plan->mark_key, row->bytes, head) : 0;
	return mark + row->len * UINT64_C(0x9e3779b97f4a7c15);
}

/* Header and body at the same places whatever the version; only version 5 has a descriptor between them. */
static void store_body(const att_tdx_row *row, uint8_t *out) {
	memset(out, 0, ATT_QUOTE_MAX_SIGNED);
	if (row->parsed) {
		uint32_t before = row->quote.body.offset;
		memcpy(out, row->bytes, before);
		memcpy(out + TDX_HEADER_LEN + TDX_DESCRIPTOR_LEN, row->bytes + before, row->quote.body.len);
	}
}

_Static_assert(TDX_HEADER_LEN + TDX_DESCRIPTOR_LEN + TDX_TD15_EX_LEN == ATT_QUOTE_MAX_SIGNED, "room for every body");

static void store_row(const att_tdx_row *row, uint64_t i, att_tdx_columns *out) {
	for (uint32_t c = 0; c < ATT_TDX_NUM_CHECKS; c++) {
		out->codes[i * ATT_TDX_NUM_CHECKS + c] = row->findings[c].code;
	}
	if (out->findings != NULL) {
		memcpy(out->findings + i * ATT_TDX_NUM_CHECKS, row->findings, sizeof row->findings);
	}
	if (out->quotes != NULL) {
		out->quotes[i] = row->quote;
	}
	if (out->mark != NULL) {
		out->mark[i] = mark_of(row);
	}
	if (out->bodies != NULL) {
		store_body(row, out->bodies + i * ATT_QUOTE_MAX_SIGNED);
	}
	out->parsed[i] = shows_claims(row);
	out->tee[i] = tee_of(row);
	out->omissions[i] = row->omissions;
	out->valid_until[i] = row->valid_until;
	out->tcb[i] = row->tcb;
	out->accepted[i] = 0;
	out->verified[i] = 0;
	out->code[i] = ATT_NOT_RUN;
}

void att_tdx_begin(const att_tdx_plan *plan, att_tdx_work *work, att_sig_job *jobs, uint64_t *num_jobs, att_tdx_columns *out) {
	att_tdx_row row;
	*num_jobs = 0;
	for (uint64_t i = 0; i < plan->quotes.n; i++) {
		load_row(&row, plan, i);
		memset(&work[i], 0, sizeof work[i]);
		if (readable(&row)) {
			judge_row(&row, i);
			if (queue_signature(&row, i, &work[i], &jobs[*num_jobs])) {
				++*num_jobs;
			}
		}
		work[i].required[0] = row.required[0];
		work[i].required[1] = row.required[1];
		store_row(&row, i, out);
	}
}

/* ---- the fold ------------------------------------------------------------------------------------------------------------ */

static void set_finding(att_finding found, uint64_t i, uint32_t check, att_tdx_columns *out) {
	uint64_t at = i * ATT_TDX_NUM_CHECKS + check;
	out->codes[at] = found.code;
	if (out->findings != NULL) {
		out->findings[at] = found;
	}
}

/* A required check that did not run, and no other that says why: never an acceptance, and never without a code. */
static uint16_t note_contradiction(const uint64_t missed[2], uint64_t i, att_tdx_columns *out) {
	uint32_t check = 0;
	while (!(missed[check / 64] >> (check % 64) & 1)) {
		check++;
	}
	set_finding(att_found(ATT_CODE_INTERNAL, ATT_FIELD_NONE, 0), i, check, out);
	return ATT_CODE_INTERNAL;
}

/* A CRL that was not given makes nothing less genuine. */
static uint64_t absent_crls(const uint16_t *codes) {
	uint64_t absent = 0;
	if (codes[ATT_TDX_CHECK_ROOT_CRL] == ATT_CODE_COLLATERAL_MISSING) {
		absent |= BIT(ROOT_CRL) | BIT(PCK_CA_REVOCATION) | BIT(TCB_SIGNER_REVOCATION) | BIT(QE_SIGNER_REVOCATION);
	}
	if (codes[ATT_TDX_CHECK_PCK_CRL] == ATT_CODE_COLLATERAL_MISSING) {
		absent |= BIT(PCK_CRL) | BIT(PCK_REVOCATION);
	}
	return absent;
}

/* Accepted means: every required check passed, and no check of any kind failed. */
static void close_row(const uint64_t required[2], uint64_t i, att_tdx_columns *out) {
	const uint16_t *codes = out->codes + i * ATT_TDX_NUM_CHECKS;
	uint64_t passed[2] = {0, 0};
	uint16_t first = ATT_NOT_RUN;
	for (uint32_t c = 0; c < ATT_TDX_NUM_CHECKS; c++) {
		if (codes[c] == ATT_PASS) {
			passed[c / 64] |= UINT64_C(1) << (c % 64);
		} else if (codes[c] != ATT_NOT_RUN && first == ATT_NOT_RUN) {
			first = codes[c];
		}
	}
	uint64_t missed[2] = {required[0] & ~passed[0], required[1] & ~passed[1]};
	bool all = (missed[0] | missed[1]) == 0;
	out->accepted[i] = all && first == ATT_NOT_RUN;
	out->verified[i] = (missed[0] & GENUINE & ~absent_crls(codes)) == 0;
	out->code[i] = !all && first == ATT_NOT_RUN ? note_contradiction(missed, i, out) : first;
}

void att_tdx_finish(const att_tdx_plan *plan, const att_tdx_work *work, const att_sig_job *jobs, uint64_t num_jobs,
                    att_tdx_columns *out) {
	for (uint64_t k = 0; k < num_jobs; k++) {
		bool valid = jobs[k].outcome == ATT_SIG_VALID;
		bool invalid = jobs[k].outcome == ATT_SIG_INVALID;
		if (valid || invalid) { /* an engine that did not answer leaves the check not run */
			uint32_t row = jobs[k].tag;
			set_finding(valid ? att_pass() : att_found(ATT_CODE_QUOTE_SIGNATURE, ATT_FIELD_QUOTE_SIGNATURE, work[row].signature_offset),
			            row, ATT_TDX_CHECK_QUOTE_SIGNATURE, out);
		}
	}
	for (uint64_t i = 0; i < plan->quotes.n; i++) {
		close_row(work[i].required, i, out);
	}
}

int32_t att_tdx_verify(uint32_t engine, const att_tdx_plan *plan, att_key_tables *tables, att_tdx_work *work, att_sig_job *jobs,
                       att_tdx_columns *out) {
	uint64_t num_jobs;
	if (!att_engine_usable(engine)) {
		return -1;
	}
	att_tdx_begin(plan, work, jobs, &num_jobs, out);
	int32_t status = att_sig_run(engine, jobs, num_jobs, tables);
	if (status == 0) {
		att_tdx_finish(plan, work, jobs, num_jobs, out);
	}
	return status;
}
