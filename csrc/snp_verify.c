/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_verify.c: n reports judged. For each row, in this order, all findings collected: parse, chain, binding, then (as a job, with all
 * others of the call) the signature, then policy. One row and a million rows run the same code. */
#include "rows.h"
#include "sha2.h"
#include "sig.h"
#include "snp.h"
#include "snp_layout.h"

#define BIT(check) (UINT64_C(1) << ATT_SNP_CHECK_##check)

/* What a report must pass whatever the policy says. The rest of the required checks depends on the report and on what was asked. */
static const uint64_t ALWAYS = BIT(LENGTH) | BIT(VERSION) | BIT(ALGORITHM) | BIT(SIGNING_KEY) | BIT(RESERVED) | BIT(TCB_LAYOUT) |
                               BIT(TIME) | BIT(LEAF_PRESENT) | BIT(LEAF_PROFILE) | BIT(ISSUER_PROFILE) | BIT(ROOT) |
                               BIT(CHAIN_NAMES) | BIT(LEAF_SIGNATURE) | BIT(ISSUER_SIGNATURE) | BIT(LEAF_VALIDITY) |
                               BIT(ISSUER_VALIDITY) | BIT(ROOT_VALIDITY) | BIT(SIGNER_KIND) | BIT(PRODUCT_BINDING) |
                               BIT(REPORTED_TCB) | BIT(TCB_ORDER) | BIT(SIGNATURE) | BIT(VMPL);

/* Everything up to the signature: what claims_verified stands for. */
static const uint64_t GENUINE = BIT(SIGNATURE) | (BIT(SIGNATURE) - 1);

#define LAST_TIME INT64_C(253402300799) /* 9999-12-31T23:59:59Z, as far as X.509 dates reach */

/* Rows that are read together, so that they are hashed side by side. */
typedef struct {
	uint8_t report[ATT_SHA_MAX_LANES][ATT_SNP_REPORT_LEN]; /* private copies: the caller's buffer may change meanwhile */
	uint8_t digest[ATT_SHA_MAX_LANES][48];                 /* of the signed part; both zero for a row of another length */
	bool there[ATT_SHA_MAX_LANES];                         /* not null, whatever its length */
	uint64_t len[ATT_SHA_MAX_LANES];
} row_block;

/* One row while it is judged. */
typedef struct {
	const att_snp_plan *plan;
	int64_t at;
	const uint8_t *report; /* in the block */
	const uint8_t *digest;
	att_snp_report fields;
	const att_snp_set *set;   /* NULL: no certificates */
	const att_snp_leaf *leaf; /* NULL: none found */
	int32_t crl;
	int64_t valid_until;
	uint64_t required;
	uint32_t omissions;
	bool parsed;
	att_finding findings[ATT_SNP_NUM_CHECKS];
} row_state;

/* ---- choice of the leaf -------------------------------------------------------------------------------------------------- */

static bool chain_holds(const att_snp_leaf *leaf) {
	return leaf->leaf_profile.code == ATT_PASS && leaf->issuer_profile.code == ATT_PASS && leaf->root.code == ATT_PASS &&
	       leaf->chain_names.code == ATT_PASS && leaf->leaf_signature.code == ATT_PASS && leaf->issuer_signature.code == ATT_PASS;
}

static bool leaf_valid(const row_state *row, const att_snp_leaf *leaf) {
	bool begun = row->plan->policy->ignore_leaf_not_before || leaf->not_before[0] <= row->at;
	return begun && row->at <= leaf->not_after[0];
}

static bool tcb_fits(const row_state *row, const att_snp_leaf *leaf) {
	att_snp_tcb tcb;
	uint8_t layout = att_snp_tcb_layout_of(leaf->leaf_product);
	return att_snp_tcb_read(row->report + SNP_AT_REPORTED_TCB, layout, &tcb) == 8 && att_snp_tcb_eq(&tcb, &leaf->tcb);
}

static uint8_t wanted_role(const row_state *row) {
	return row->fields.signing_key == SNP_SIGNING_KEY_VLEK ? ATT_SNP_VLEK : ATT_SNP_VCEK;
}

/* The contract's choice, most telling first: kind, chip, TCB, valid at the time; then the newest. A chain that holds goes before
 * validity, so that a stranger's certificate cannot push the genuine one aside. */
static uint32_t rank_of(const row_state *row, const att_snp_leaf *leaf) {
	bool kind = leaf->role == wanted_role(row);
	bool chip = leaf->role == ATT_SNP_VLEK || row->fields.chip_id_masked ||
	            memcmp(leaf->hwid, row->report + SNP_AT_CHIP_ID, sizeof leaf->hwid) == 0;
	return (uint32_t)kind << 4 | (uint32_t)chip << 3 | (uint32_t)tcb_fits(row, leaf) << 2 | (uint32_t)chain_holds(leaf) << 1 |
	       (uint32_t)leaf_valid(row, leaf);
}

static const att_snp_leaf *best_of(const row_state *row, uint32_t first, uint32_t end) {
	const att_snp_leaf *best = NULL;
	uint32_t best_rank = 0;
	for (uint32_t i = first; i < end; i++) {
		const att_snp_leaf *leaf = &row->set->leaves[i];
		uint32_t rank = rank_of(row, leaf);
		if (best == NULL || rank > best_rank || (rank == best_rank && leaf->not_before[0] > best->not_before[0])) {
			best = leaf;
			best_rank = rank;
		}
	}
	return best;
}

static int compare_to_chip(const att_snp_leaf *leaf, uint8_t role, const uint8_t *chip) {
	return leaf->role != role ? (int)leaf->role - (int)role : memcmp(leaf->hwid, chip, sizeof leaf->hwid);
}

/* Sets of a whole fleet are legal: the leaves of one chip are found by halves, and only a report of a chip that is not there looks
 * at all of them. */
static const att_snp_leaf *choose_leaf(const row_state *row) {
	static const uint8_t no_chip[64];
	uint8_t role = wanted_role(row);
	const uint8_t *chip = role == ATT_SNP_VLEK ? no_chip : row->report + SNP_AT_CHIP_ID;
	uint32_t low = 0;
	uint32_t high = row->set->num_leaves;
	if (role == ATT_SNP_VCEK && row->fields.chip_id_masked) {
		return best_of(row, 0, high); /* any chip's may be the one */
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare_to_chip(&row->set->leaves[middle], role, chip) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	uint32_t end = low;
	while (end < row->set->num_leaves && compare_to_chip(&row->set->leaves[end], role, chip) == 0) {
		end++;
	}
	return low < end ? best_of(row, low, end) : best_of(row, 0, row->set->num_leaves);
}

/* ---- chain --------------------------------------------------------------------------------------------------------------- */

static void judge_validity(row_state *row, int place, uint32_t check, uint16_t field) {
	const att_snp_leaf *leaf = row->leaf;
	bool ignore_begin = place == 0 && row->plan->policy->ignore_leaf_not_before;
	att_finding found = att_pass();
	if (row->at > leaf->not_after[place]) {
		found = att_found(ATT_CODE_CERT_EXPIRED, field, 0);
	} else if (row->at < leaf->not_before[place] && !ignore_begin) {
		found = att_found(ATT_CODE_CERT_NOT_YET_VALID, field, 0);
	}
	row->findings[check] = found;
	if (row->valid_until == ATT_NO_TIME || leaf->not_after[place] < row->valid_until) {
		row->valid_until = leaf->not_after[place];
	}
}

static bool present(const uint8_t sha256[32]) { return att_first_nonzero(sha256, 32) < 32; }

static void judge_validities(row_state *row) {
	judge_validity(row, 0, ATT_SNP_CHECK_LEAF_VALIDITY, ATT_FIELD_LEAF);
	if (present(row->leaf->sha256[1])) {
		judge_validity(row, 1, ATT_SNP_CHECK_ISSUER_VALIDITY, ATT_FIELD_ISSUER);
	}
	if (present(row->leaf->sha256[2])) {
		judge_validity(row, 2, ATT_SNP_CHECK_ROOT_VALIDITY, ATT_FIELD_ROOT);
	}
}

static void judge_chain(row_state *row) {
	const att_snp_leaf *leaf = row->leaf;
	SNP_SET(row->findings, LEAF_PRESENT, att_pass());
	SNP_SET(row->findings, LEAF_PROFILE, leaf->leaf_profile);
	SNP_SET(row->findings, ISSUER_PROFILE, leaf->issuer_profile);
	SNP_SET(row->findings, ROOT, leaf->root);
	SNP_SET(row->findings, CHAIN_NAMES, leaf->chain_names);
	SNP_SET(row->findings, LEAF_SIGNATURE, leaf->leaf_signature);
	SNP_SET(row->findings, ISSUER_SIGNATURE, leaf->issuer_signature);
}

static int compare_serials(const att_serial *a, const att_serial *b) {
	return a->len != b->len ? (int)a->len - (int)b->len : memcmp(a->bytes, b->bytes, a->len);
}

static bool lists_serial(const att_snp_trust *trust, const att_snp_crl *crl, const att_serial *serial) {
	uint64_t low = crl->first_revoked;
	uint64_t high = low + crl->num_revoked;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int order = compare_serials(&trust->serials[middle], serial);
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

/* The ARK's list covers what the ARK issued: ASK, ASVK and itself. The leaf's serial is looked up as well, should AMD ever number
 * leaves: it is 0 today, which no list may name. */
static void judge_revocation(row_state *row, const att_snp_crl *crl) {
	static const uint16_t fields[3] = {ATT_FIELD_LEAF, ATT_FIELD_ISSUER, ATT_FIELD_ROOT};
	for (int place = 0; place < 3; place++) {
		if (present(row->leaf->sha256[place]) && lists_serial(row->plan->trust, crl, &row->leaf->serial[place])) {
			SNP_SET(row->findings, REVOCATION, att_found(ATT_CODE_CERT_REVOKED, fields[place], 0));
		}
	}
}

/* Whether a CRL bears on the row's chain: its issuer is the chain's root by name, and either no anchor signed it (then its profile says
 * so), or the one that did has the root's key. What cannot be read bears on every chain; another authority's list on none. */
static bool crl_bears(const row_state *row, const att_snp_crl *crl) {
	const att_snp_cert *anchors = row->plan->trust->anchors;
	if (crl->root < 0) {
		return crl->profile.code != ATT_PASS;
	}
	const att_snp_cert *signer = &anchors[crl->root];
	const att_snp_cert *root = &anchors[row->leaf->root_index];
	bool same_name = signer->subject_len == root->subject_len && memcmp(signer->subject, root->subject, root->subject_len) == 0;
	return same_name && (crl->profile.code != ATT_PASS || memcmp(signer->spki_sha256, root->spki_sha256, 32) == 0);
}

/* Among the CRLs that bear on this chain: one that is not genuine fails the check; those of another day are passed over as long as
 * one holds now; every one that holds now is asked, and the newest is named. */
static void judge_crls(row_state *row) {
	const att_snp_trust *trust = row->plan->trust;
	att_finding verdict = {ATT_NOT_RUN, ATT_FIELD_NONE, 0};
	bool spoiled = false;
	for (uint32_t i = 0; i < trust->num_crls; i++) {
		const att_snp_crl *crl = &trust->crls[i];
		if (!crl_bears(row, crl)) {
			continue;
		}
		if (crl->profile.code != ATT_PASS) {
			spoiled = true;
			verdict = crl->profile;
		} else if (row->at < crl->this_update || row->at > crl->next_update) {
			if (verdict.code == ATT_NOT_RUN) {
				verdict = row->at > crl->next_update ? att_found(ATT_CODE_CRL_EXPIRED, ATT_FIELD_CRL_NEXT_UPDATE, 0)
				                                     : att_found(ATT_CODE_CRL_NOT_YET_VALID, ATT_FIELD_CRL_THIS_UPDATE, 0);
			}
		} else {
			if (row->crl < 0) {
				SNP_SET(row->findings, REVOCATION, att_pass());
			}
			judge_revocation(row, crl);
			if (row->crl < 0 || crl->this_update > trust->crls[row->crl].this_update) {
				row->crl = (int32_t)i;
			}
		}
	}
	if (row->crl >= 0 && !spoiled) {
		verdict = att_pass();
	}
	SNP_SET(row->findings, CRL, verdict);
}

static void judge_revocations(row_state *row) {
	if (row->leaf->root_index >= 0) {
		judge_crls(row);
	}
	if (row->findings[ATT_SNP_CHECK_CRL].code != ATT_NOT_RUN) {
		row->required |= BIT(CRL) | BIT(REVOCATION);
	}
	if (row->crl >= 0 && row->plan->trust->crls[row->crl].next_update < row->valid_until) {
		row->valid_until = row->plan->trust->crls[row->crl].next_update;
	}
}

/* ---- binding ------------------------------------------------------------------------------------------------------------- */

/* Without a root (which the chain's findings say) the leaf's own word stands for the chain's product. */
static att_finding judge_product_binding(const row_state *row) {
	const att_snp_leaf *leaf = row->leaf;
	uint8_t chain = leaf->root_index >= 0 ? leaf->product : leaf->leaf_product;
	if (leaf->name_product != leaf->leaf_product) {
		return att_found(ATT_CODE_PRODUCT_MISMATCH, ATT_FIELD_EXT_PRODUCT_NAME, 0);
	}
	if (chain != leaf->leaf_product) {
		return att_found(ATT_CODE_PRODUCT_MISMATCH, ATT_FIELD_ROOT, 0);
	}
	if (row->fields.has_cpuid && row->fields.product != chain) {
		return att_found(ATT_CODE_PRODUCT_MISMATCH, ATT_FIELD_CPUID_FAM_ID, SNP_AT_CPUID_FAM_ID);
	}
	if (!row->fields.has_cpuid && att_snp_chip_is_long(row->report) && chain == ATT_PRODUCT_TURIN) {
		return att_found(ATT_CODE_PRODUCT_MISMATCH, ATT_FIELD_CHIP_ID, SNP_AT_CHIP_ID + SNP_SHORT_CHIP_ID);
	}
	if (row->plan->product != ATT_PRODUCT_NONE && row->plan->product != chain) {
		return att_found(ATT_CODE_PRODUCT_MISMATCH, ATT_FIELD_LEAF, 0);
	}
	return att_pass();
}

/* Version 2: the chain tells the product, and with it the layout, unless the chip shows that it cannot be so. */
static void judge_product_of_chain(row_state *row) {
	uint8_t layout = att_snp_tcb_layout_of(row->leaf->leaf_product);
	row->required |= BIT(PRODUCT);
	SNP_SET(row->findings, PRODUCT,
	        layout != SNP_TCB_UNKNOWN ? att_pass() : att_found(ATT_CODE_PRODUCT_UNSUPPORTED, ATT_FIELD_LEAF, 0));
	if (layout != SNP_TCB_UNKNOWN) {
		layout = att_snp_chip_is_long(row->report) ? SNP_TCB_MILAN : layout;
		SNP_SET(row->findings, TCB_LAYOUT, att_snp_read_tcbs(row->report, layout, &row->fields));
	}
}

static void judge_chip_binding(row_state *row) {
	const att_snp_leaf *leaf = row->leaf;
	if (leaf->role != ATT_SNP_VCEK || row->fields.chip_id_masked) {
		return; /* a VLEK names no chip; whether a masked id will do is the policy's to say */
	}
	row->required |= BIT(CHIP_ID);
	uint32_t same = 0;
	while (same < SNP_SIZE_CHIP_ID && row->report[SNP_AT_CHIP_ID + same] == leaf->hwid[same]) {
		same++; /* hwid is padded with zeros: behind Turin's 8 bytes CHIP_ID must be zero */
	}
	bool equal = same == SNP_SIZE_CHIP_ID && leaf->hwid_len != 0;
	SNP_SET(row->findings, CHIP_ID,
	        equal ? att_pass() : att_found(ATT_CODE_CHIP_ID, ATT_FIELD_CHIP_ID, SNP_AT_CHIP_ID + (same < 64 ? same : 0)));
}

/* Firmware keeps both below CURRENT (56860, SNP_COMMIT, SNP_CONFIG). REPORTED against COMMITTED and LAUNCH is not ordered. */
static att_finding judge_tcb_order(const att_snp_report *fields) {
	const att_snp_tcb *current = &fields->tcb[ATT_TCB_CURRENT];
	if (!att_snp_tcb_ge(current, &fields->tcb[ATT_TCB_REPORTED])) {
		return att_found(ATT_CODE_TCB_ORDER, ATT_FIELD_REPORTED_TCB, SNP_AT_REPORTED_TCB);
	}
	if (!att_snp_tcb_ge(current, &fields->tcb[ATT_TCB_COMMITTED])) {
		return att_found(ATT_CODE_TCB_ORDER, ATT_FIELD_COMMITTED_TCB, SNP_AT_COMMITTED_TCB);
	}
	return att_pass();
}

static void judge_binding(row_state *row) {
	const att_snp_leaf *leaf = row->leaf;
	if (row->fields.signing_key <= SNP_SIGNING_KEY_VLEK) {
		SNP_SET(row->findings, SIGNER_KIND,
		        leaf->role == wanted_role(row) ? att_pass()
		                                       : att_found(ATT_CODE_SIGNER_KIND, ATT_FIELD_KEY_INFO, SNP_AT_KEY_INFO));
	}
	SNP_SET(row->findings, PRODUCT_BINDING, judge_product_binding(row));
	judge_chip_binding(row);
	if (!row->fields.has_cpuid) {
		judge_product_of_chain(row);
	}
	if (row->fields.tcb_layout != SNP_TCB_UNKNOWN) {
		bool equal = att_snp_tcb_eq(&row->fields.tcb[ATT_TCB_REPORTED], &leaf->tcb);
		SNP_SET(row->findings, REPORTED_TCB,
		        equal ? att_pass() : att_found(ATT_CODE_REPORTED_TCB, ATT_FIELD_REPORTED_TCB, SNP_AT_REPORTED_TCB));
		SNP_SET(row->findings, TCB_ORDER, judge_tcb_order(&row->fields));
	}
}

/* ---- signature ----------------------------------------------------------------------------------------------------------- */

static void reverse(uint8_t out[SNP_R_VALUE_SIZE], const uint8_t *in) {
	for (uint32_t i = 0; i < SNP_R_VALUE_SIZE; i += 8) {
		att_store_be64(out + i, att_load_le64(in + SNP_R_VALUE_SIZE - 8 - i));
	}
}

/* 72 bytes, least significant first; the value has 48, and must be in 1..n-1 (56860, signature format; FIPS 186-5 6.4.2). */
static att_finding read_scalar(const uint8_t *report, uint32_t offset, uint16_t field, uint8_t out[48]) {
	uint32_t padding = att_first_nonzero(report + offset + SNP_R_VALUE_SIZE, SNP_SIZE_SIGNATURE_R - SNP_R_VALUE_SIZE);
	reverse(out, report + offset);
	if (padding < SNP_SIZE_SIGNATURE_R - SNP_R_VALUE_SIZE) {
		return att_found(ATT_CODE_SIGNATURE_MALFORMED, field, offset + SNP_R_VALUE_SIZE + padding);
	}
	bool zero = att_first_nonzero(out, SNP_R_VALUE_SIZE) == SNP_R_VALUE_SIZE;
	if (zero || memcmp(out, att_ec_order(ATT_ECDSA_P384), SNP_R_VALUE_SIZE) >= 0) {
		return att_found(ATT_CODE_SIGNATURE_MALFORMED, field, offset);
	}
	return att_pass();
}

/* Decides what can be decided, or makes the job. */
static bool queue_signature(const row_state *row, uint64_t i, att_snp_work *work, att_sig_job *job) {
	const uint8_t *report = row->report;
	att_finding r = read_scalar(report, SNP_AT_SIGNATURE_R, ATT_FIELD_SIGNATURE_R, work->sig);
	att_finding s = read_scalar(report, SNP_AT_SIGNATURE_S, ATT_FIELD_SIGNATURE_S, work->sig + SNP_R_VALUE_SIZE);
	work->signature = (att_finding){ATT_NOT_RUN, ATT_FIELD_NONE, 0};
	if (row->fields.signature_algo != SNP_ALGO_ECDSA_P384_SHA384) {
		return false; /* R and S mean nothing known */
	}
	if (r.code != ATT_PASS || s.code != ATT_PASS) {
		work->signature = r.code != ATT_PASS ? r : s;
		return false;
	}
	if (row->leaf == NULL || att_first_nonzero(row->leaf->key, sizeof row->leaf->key) == sizeof row->leaf->key) {
		return false; /* no key to judge it by; the chain's findings say why */
	}
	memset(job, 0, sizeof *job);
	job->algorithm = ATT_ECDSA_P384;
	job->key = row->leaf->key;
	job->key_len = sizeof row->leaf->key;
	job->sig = work->sig;
	job->sig_len = sizeof work->sig;
	job->digest_len = 48;
	job->tag = (uint32_t)i;
	memcpy(job->digest, row->digest, sizeof job->digest);
	return true;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

static void find_set(row_state *row, uint64_t i) {
	const att_snp_plan *plan = row->plan;
	int64_t index = plan->set_index != NULL ? plan->set_index[i] : 0;
	row->set = index >= 0 && (uint64_t)index < plan->num_sets ? &plan->sets[index] : NULL;
	row->leaf = row->set != NULL && row->set->num_leaves != 0 ? choose_leaf(row) : NULL;
}

/* No certificate: an absent one is missing; one that was there but could not be read is a failure. */
static void judge_absence(row_state *row) {
	att_finding found = att_found(ATT_CODE_CERT_MISSING, ATT_FIELD_LEAF, 0);
	if (row->set != NULL && row->set->error.code > ATT_PASS) {
		found = row->set->error;
	}
	SNP_SET(row->findings, LEAF_PRESENT, found);
}

/* No CRL spoke: required, it is missing (whether or not a leaf is there); else not asked for, unless one was given and had no chain. */
static void judge_absent_crl(row_state *row) {
	bool none_given = row->plan->trust->num_crls == 0;
	if (row->findings[ATT_SNP_CHECK_CRL].code != ATT_NOT_RUN) {
		return;
	}
	if (!row->plan->policy->require_crl) {
		row->omissions |= row->leaf != NULL || none_given ? ATT_OMIT_CRL : 0u;
		return;
	}
	row->required |= BIT(CRL) | BIT(REVOCATION);
	if (row->leaf != NULL || none_given) {
		SNP_SET(row->findings, CRL, att_found(ATT_CODE_COLLATERAL_MISSING, ATT_FIELD_CRL, 0));
	}
}

static void judge_fields(row_state *row, uint64_t i) {
	if (row->fields.has_cpuid) {
		row->required |= BIT(PRODUCT);
	}
	bool timely = row->at >= 0 && row->at <= LAST_TIME;
	SNP_SET(row->findings, TIME, timely ? att_pass() : att_found(ATT_CODE_TIME_MISSING, ATT_FIELD_EVALUATION_TIME, 0));
	if (row->findings[ATT_SNP_CHECK_VERSION].code != ATT_PASS) {
		return; /* recognised, not judged */
	}
	find_set(row, i);
	if (row->leaf == NULL) {
		judge_absence(row);
	} else {
		judge_chain(row);
		if (timely) {
			judge_validities(row);
			judge_revocations(row);
		}
		judge_binding(row);
	}
	judge_absent_crl(row);
	att_snp_apply_policy(row->plan->policy, row->report, &row->fields, row->leaf, row->findings, &row->required, &row->omissions);
}

/* Reads rows first to first + num - 1, at most a block's, each once. */
static void load_block(row_block *block, const att_rows *rows, uint64_t first, uint32_t num) {
	const uint8_t *whole[ATT_SHA_MAX_LANES];
	uint8_t digests[ATT_SHA_MAX_LANES * 48];
	uint32_t place[ATT_SHA_MAX_LANES];
	uint32_t num_whole = 0;
	for (uint32_t k = 0; k < num; k++) {
		const uint8_t *data;
		block->there[k] = att_row(rows, first + k, &data, &block->len[k]);
		if (block->there[k] && block->len[k] == ATT_SNP_REPORT_LEN) {
			memcpy(block->report[k], data, ATT_SNP_REPORT_LEN);
			whole[num_whole] = block->report[k];
			place[num_whole++] = k;
		} else {
			memset(block->report[k], 0, sizeof block->report[k]);
			memset(block->digest[k], 0, sizeof block->digest[k]);
		}
	}
	att_sha384_many(whole, ATT_SNP_SIGNED_LEN, num_whole, digests);
	for (uint32_t w = 0; w < num_whole; w++) {
		memcpy(block->digest[place[w]], digests + 48 * w, 48);
	}
}

/* Row i of the call, which is row k of the block. */
static void start_row(row_state *row, const att_snp_plan *plan, const row_block *block, uint32_t k, uint64_t i) {
	memset(row, 0, sizeof *row);
	row->plan = plan;
	row->report = block->report[k];
	row->digest = block->digest[k];
	row->required = ALWAYS;
	row->crl = -1;
	row->valid_until = ATT_NO_TIME;
	row->at = plan->at[plan->at_stride * i];
	if (!block->there[k] || block->len[k] != ATT_SNP_REPORT_LEN) {
		att_snp_parse(block->there[k] ? block->report[k] : NULL, block->len[k], ATT_PRODUCT_NONE, &row->fields, row->findings);
		return;
	}
	row->parsed = att_snp_parse_fixed(row->report, (uint8_t)plan->product, &row->fields, row->findings);
}

/* Claims are shown when no parse check failed. */
static bool shows_claims(const row_state *row) {
	for (uint32_t c = 0; c < ATT_SNP_CHECK_LEAF_PRESENT; c++) {
		if (row->findings[c].code > ATT_PASS && att_code_category(row->findings[c].code) == ATT_CATEGORY_PARSE) {
			return false;
		}
	}
	return row->parsed;
}

/* A keyed hash of the whole report: the digest stands for the signed part, the rest goes in as it is. What lies behind the signature is
 * zero in every report that passes, and then its absence says so: the length tells the two cases apart. */
static uint64_t mark_of(const row_state *row) {
	enum { BEHIND = ATT_SNP_REPORT_LEN - SNP_AT_SIGNATURE_RESERVED, SIGNATURE = SNP_AT_SIGNATURE_RESERVED - ATT_SNP_SIGNED_LEN };
	_Static_assert((48 + SIGNATURE) % 256 != (48 + SIGNATURE + BEHIND) % 256, "SipHash tells lengths apart modulo 256");
	uint8_t said[48 + SIGNATURE + BEHIND];
	uint32_t len = 48 + SIGNATURE;
	memcpy(said, row->digest, 48);
	memcpy(said + 48, row->report + ATT_SNP_SIGNED_LEN, SIGNATURE);
	if (att_first_nonzero(row->report + SNP_AT_SIGNATURE_RESERVED, BEHIND) < BEHIND) {
		memcpy(said + len, row->report + SNP_AT_SIGNATURE_RESERVED, BEHIND);
		len += BEHIND;
	}
	return att_sip13(row->plan->mark_key, said, len);
}

static void store_row(const row_state *row, uint64_t i, att_snp_columns *out) {
	for (uint32_t c = 0; c < ATT_SNP_NUM_CHECKS; c++) {
		out->codes[i * ATT_SNP_NUM_CHECKS + c] = row->findings[c].code;
	}
	if (out->findings != NULL) {
		memcpy(out->findings + i * ATT_SNP_NUM_CHECKS, row->findings, sizeof row->findings);
	}
	if (out->claims != NULL) {
		out->claims[i] = row->fields;
	}
	if (out->mark != NULL) {
		out->mark[i] = mark_of(row);
	}
	if (out->reports != NULL) {
		memcpy(out->reports + i * ATT_SNP_REPORT_LEN, row->report, ATT_SNP_REPORT_LEN);
	}
	out->parsed[i] = shows_claims(row);
	out->omissions[i] = row->omissions;
	out->leaf[i] = row->leaf != NULL ? (int32_t)(row->leaf - row->set->leaves) : -1;
	out->crl[i] = row->crl;
	out->valid_until[i] = row->valid_until;
	out->accepted[i] = 0;
	out->verified[i] = 0;
	out->code[i] = ATT_NOT_RUN;
}

static void judge_row(row_state *row, uint64_t i, att_snp_work *work, att_sig_job *jobs, uint64_t *num_jobs) {
	memset(work, 0, sizeof *work);
	if (row->parsed) {
		judge_fields(row, i);
		if (row->findings[ATT_SNP_CHECK_VERSION].code == ATT_PASS && queue_signature(row, i, work, &jobs[*num_jobs])) {
			++*num_jobs;
		}
	}
	work->required = row->required;
}

void att_snp_begin(const att_snp_plan *plan, att_snp_work *work, att_sig_job *jobs, uint64_t *num_jobs, att_snp_columns *out) {
	const uint64_t n = plan->reports.n;
	row_block block;
	row_state row;
	*num_jobs = 0;
	for (uint64_t first = 0; first < n; first += ATT_SHA_MAX_LANES) {
		const uint32_t num = n - first < ATT_SHA_MAX_LANES ? (uint32_t)(n - first) : ATT_SHA_MAX_LANES;
		load_block(&block, &plan->reports, first, num);
		for (uint32_t k = 0; k < num; k++) {
			start_row(&row, plan, &block, k, first + k);
			judge_row(&row, first + k, &work[first + k], jobs, num_jobs);
			store_row(&row, first + k, out);
		}
	}
}

/* ---- the fold ------------------------------------------------------------------------------------------------------------ */

static void set_finding(att_finding found, uint64_t i, uint32_t check, att_snp_columns *out) {
	uint64_t at = i * ATT_SNP_NUM_CHECKS + check;
	out->codes[at] = found.code;
	if (out->findings != NULL) {
		out->findings[at] = found;
	}
}

/* A required check that did not run, and no other that says why: never an acceptance, and never without a code. */
static uint16_t note_contradiction(uint64_t missed, uint64_t i, att_snp_columns *out) {
	uint32_t check = 0;
	while (!(missed >> check & 1)) {
		check++;
	}
	set_finding(att_found(ATT_CODE_INTERNAL, ATT_FIELD_NONE, 0), i, check, out);
	return ATT_CODE_INTERNAL;
}

/* A CRL that was required and not given makes nothing less genuine. */
static uint64_t absent_crl(const uint16_t *codes) {
	uint16_t crl = codes[ATT_SNP_CHECK_CRL];
	bool absent = crl == ATT_NOT_RUN || crl == ATT_CODE_COLLATERAL_MISSING;
	return absent ? BIT(CRL) | BIT(REVOCATION) : 0;
}

/* Accepted means: every required check passed, and no check of any kind failed. */
static void close_row(uint64_t required, uint64_t i, att_snp_columns *out) {
	const uint16_t *codes = out->codes + i * ATT_SNP_NUM_CHECKS;
	uint64_t passed = 0;
	uint16_t first = ATT_NOT_RUN;
	for (uint32_t c = 0; c < ATT_SNP_NUM_CHECKS; c++) {
		if (codes[c] == ATT_PASS) {
			passed |= UINT64_C(1) << c;
		} else if (codes[c] != ATT_NOT_RUN && first == ATT_NOT_RUN) {
			first = codes[c];
		}
	}
	uint64_t missed = required & ~passed;
	out->accepted[i] = missed == 0 && first == ATT_NOT_RUN;
	out->verified[i] = (missed & GENUINE & ~absent_crl(codes)) == 0;
	out->code[i] = missed != 0 && first == ATT_NOT_RUN ? note_contradiction(missed, i, out) : first;
}

/* What a verified chain says where the report itself does not. */
static void note_product(const att_snp_plan *plan, uint64_t i, att_snp_columns *out) {
	if (out->claims != NULL && out->verified[i] && !out->claims[i].has_cpuid) {
		int64_t set = plan->set_index != NULL ? plan->set_index[i] : 0;
		out->claims[i].product = plan->sets[set].leaves[out->leaf[i]].product;
	}
}

void att_snp_finish(const att_snp_plan *plan, const att_snp_work *work, const att_sig_job *jobs, uint64_t num_jobs,
                    att_snp_columns *out) {
	for (uint64_t i = 0; i < plan->reports.n; i++) {
		set_finding(work[i].signature, i, ATT_SNP_CHECK_SIGNATURE, out);
	}
	for (uint64_t k = 0; k < num_jobs; k++) {
		bool valid = jobs[k].outcome == ATT_SIG_VALID;
		bool invalid = jobs[k].outcome == ATT_SIG_INVALID;
		if (valid || invalid) { /* an engine that did not answer leaves the check not run */
			set_finding(valid ? att_pass() : att_found(ATT_CODE_SIGNATURE_INVALID, ATT_FIELD_SIGNATURE, SNP_AT_SIGNATURE_R),
			            jobs[k].tag, ATT_SNP_CHECK_SIGNATURE, out);
		}
	}
	for (uint64_t i = 0; i < plan->reports.n; i++) {
		close_row(work[i].required, i, out);
		note_product(plan, i, out);
	}
}

int32_t att_snp_verify(uint32_t engine, const att_snp_plan *plan, att_key_tables *tables, att_snp_work *work, att_sig_job *jobs,
                       att_snp_columns *out) {
	uint64_t num_jobs;
	if (!att_engine_usable(engine)) {
		return -1;
	}
	att_snp_begin(plan, work, jobs, &num_jobs, out);
	int32_t status = att_sig_run(engine, jobs, num_jobs, tables);
	if (status == 0) {
		att_snp_finish(plan, work, jobs, num_jobs, out);
	}
	return status;
}
