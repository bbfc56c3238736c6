/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_chain.c: certificates linked to the trust anchors: VCEK <- ASK <- ARK, VLEK <- ASVK <- ARK (AMD 57230 and 58369).
 *
 * There is no path building. A chain has three places, each with its own names, and the ARK's place is only ever taken by an anchor
 * that the caller pinned; a self-signed certificate that comes with the evidence is never one. What remains to be found is which of
 * a few certificates of one name made a signature (Genoa has had two ASKs of one name). Signatures are jobs: the same walk first
 * lists them, then reads their outcomes in the same order.
 */
#include "snp.h"

static bool same_name(const uint8_t *a, uint16_t a_len, const uint8_t *b, uint16_t b_len) {
	return a_len == b_len && a_len != 0 && memcmp(a, b, a_len) == 0;
}

static bool issued_by(const att_snp_cert *subject, const att_snp_cert *issuer) {
	return same_name(subject->issuer, subject->issuer_len, issuer->subject, issuer->subject_len);
}

static bool is_leaf(const att_snp_cert *cert) { return cert->role == ATT_SNP_VCEK || cert->role == ATT_SNP_VLEK; }
static bool is_issuer(const att_snp_cert *cert) { return cert->role == ATT_SNP_ASK || cert->role == ATT_SNP_ASVK; }

/* A walk writes jobs (jobs set), reads outcomes (outcomes set), or only counts. */
typedef struct {
	att_sig_job *jobs;
	const att_sig_job *outcomes;
	uint64_t num;
} job_walk;

/* The next job: is this digest signed under that key? True only when reading, and only for a valid signature. */
static bool walk_job(job_walk *walk, const uint8_t tbs[48], const uint8_t *signature, uint16_t signature_len, const att_snp_cert *issuer,
                     uint32_t tag) {
	uint64_t i = walk->num++;
	if (walk->outcomes != NULL) {
		return walk->outcomes[i].outcome == ATT_SIG_VALID;
	}
	if (walk->jobs != NULL) {
		att_sig_job *job = &walk->jobs[i];
		memset(job, 0, sizeof *job);
		job->algorithm = ATT_RSA_PSS_SHA384;
		job->key = issuer->key;
		job->key_len = issuer->key_len;
		job->exponent = issuer->exponent;
		job->sig = signature;
		job->sig_len = signature_len;
		job->digest_len = 48;
		memcpy(job->digest, tbs, 48);
		job->tag = tag;
	}
	return false;
}

static bool walk_cert(job_walk *walk, const att_snp_cert *subject, const att_snp_cert *issuer, uint64_t tag) {
	return walk_job(walk, subject->tbs_sha384, subject->signature, subject->signature_len, issuer, (uint32_t)tag);
}

/* The anchor that signed an ASK or ASVK, or -1; of several with that key (an ARK issued again) the one that lasts longest. */
static int32_t walk_anchors(job_walk *walk, const att_snp_trust *trust, const att_snp_cert *issuer, uint64_t tag) {
	int32_t root = -1;
	for (uint32_t a = 0; a < trust->num_anchors; a++) {
		const att_snp_cert *anchor = &trust->anchors[a];
		if (issued_by(issuer, anchor) && walk_cert(walk, issuer, anchor, tag) &&
		    (root < 0 || anchor->not_after > trust->anchors[root].not_after)) {
			root = (int32_t)a;
		}
	}
	return root;
}

/* ---- the trust itself ---------------------------------------------------------------------------------------------------- */

static void walk_crl(job_walk *walk, const att_snp_trust *trust, att_snp_crl *crl, uint64_t tag) {
	int32_t named = -1;
	int32_t signer = -1;
	for (uint32_t a = 0; a < trust->num_anchors; a++) {
		const att_snp_cert *anchor = &trust->anchors[a];
		if (!same_name(crl->issuer, crl->issuer_len, anchor->subject, anchor->subject_len)) {
			continue;
		}
		named = (int32_t)a;
		if (walk_job(walk, crl->tbs_sha384, crl->signature, crl->signature_len, anchor, (uint32_t)tag) && signer < 0) {
			signer = (int32_t)a;
		}
	}
	if (walk->outcomes == NULL) {
		return;
	}
	crl->root = signer >= 0 ? signer : named;
	if (named >= 0 && signer < 0 && crl->profile.code == ATT_PASS) {
		crl->profile = att_found(ATT_CODE_CRL_SIGNATURE, ATT_FIELD_CERT_SIGNATURE_VALUE, 0);
	}
}

static void walk_trust(job_walk *walk, const att_snp_trust *trust) {
	for (uint32_t i = 0; i < trust->num_anchors; i++) {
		bool signs_itself = walk_cert(walk, &trust->anchors[i], &trust->anchors[i], i);
		if (walk->outcomes != NULL) {
			trust->anchors[i].root = signs_itself ? (int32_t)i : -1;
		}
	}
	for (uint32_t i = 0; i < trust->num_intermediates; i++) {
		int32_t root = walk_anchors(walk, trust, &trust->intermediates[i], i);
		if (walk->outcomes != NULL) {
			trust->intermediates[i].root = root;
		}
	}
	for (uint32_t i = 0; i < trust->num_crls; i++) {
		walk_crl(walk, trust, &trust->crls[i], i);
	}
}

uint64_t att_snp_trust_jobs(const att_snp_trust *trust, att_sig_job *jobs) {
	job_walk walk = {jobs, NULL, 0};
	walk_trust(&walk, trust);
	return walk.num;
}

void att_snp_trust_finish(att_snp_trust *trust, const att_sig_job *jobs) {
	job_walk walk = {NULL, jobs, 0};
	walk_trust(&walk, trust);
}

/* ---- one leaf ------------------------------------------------------------------------------------------------------------ */

/* How well a candidate serves as the leaf's issuer; the best one is judged, of equals the one that lasts longest. */
typedef struct {
	const att_snp_cert *issuer;
	bool signed_leaf;
	int rank;
} candidate;

static void consider(candidate *best, const att_snp_cert *issuer, bool signed_leaf) {
	int rank = 1 + 4 * signed_leaf + 2 * (issuer->root >= 0) + (issuer->profile.code == ATT_PASS);
	bool lasts = rank == best->rank && issuer->not_after > best->issuer->not_after;
	if (rank > best->rank || lasts) {
		*best = (candidate){issuer, signed_leaf, rank};
	}
}

typedef struct {
	const att_snp_trust *trust;
	const att_snp_cert *certs; /* of the leaf's set: [first, end) */
	uint64_t first;
	uint64_t end;
} chain_scope;

static candidate walk_leaf(job_walk *walk, const chain_scope *scope, uint64_t leaf) {
	candidate best = {NULL, false, 0};
	const att_snp_cert *subject = &scope->certs[leaf];
	for (uint32_t i = 0; i < scope->trust->num_intermediates; i++) {
		const att_snp_cert *issuer = &scope->trust->intermediates[i];
		if (issuer->root >= 0 && issued_by(subject, issuer)) { /* a shipped one that no anchor signed is no help */
			consider(&best, issuer, walk_cert(walk, subject, issuer, leaf));
		}
	}
	for (uint64_t i = scope->first; i < scope->end; i++) {
		const att_snp_cert *issuer = &scope->certs[i];
		if (is_issuer(issuer) && issued_by(subject, issuer)) {
			consider(&best, issuer, walk_cert(walk, subject, issuer, leaf));
		}
	}
	return best;
}

static const att_snp_cert *anchor_named(const att_snp_trust *trust, const att_snp_cert *subject) {
	for (uint32_t a = 0; a < trust->num_anchors; a++) {
		if (issued_by(subject, &trust->anchors[a])) {
			return &trust->anchors[a];
		}
	}
	return NULL;
}

/* A root of the issuer's issuer name came with the set and is not an anchor: someone's own hierarchy under AMD's names. */
static bool brings_own_root(const chain_scope *scope, const att_snp_cert *issuer) {
	for (uint64_t i = scope->first; i < scope->end; i++) {
		const att_snp_cert *cert = &scope->certs[i];
		if (cert->role != ATT_SNP_ARK || !issued_by(issuer, cert)) {
			continue;
		}
		bool pinned = false;
		for (uint32_t a = 0; a < scope->trust->num_anchors; a++) {
			pinned |= memcmp(scope->trust->anchors[a].spki_sha256, cert->spki_sha256, 32) == 0;
		}
		if (!pinned) {
			return true;
		}
	}
	return false;
}

static void set_place(att_snp_leaf *out, int place, const att_snp_cert *cert) {
	out->not_before[place] = cert->not_before;
	out->not_after[place] = cert->not_after;
	out->serial[place].len = cert->serial_len;
	memcpy(out->serial[place].bytes, cert->serial, sizeof cert->serial);
	memcpy(out->sha256[place], cert->sha256, 32);
}

static void copy_leaf(att_snp_leaf *out, const att_snp_cert *leaf) {
	memset(out, 0, sizeof *out);
	out->role = leaf->role;
	out->leaf_product = leaf->product;
	out->name_product = leaf->name_product;
	out->struct_version = leaf->struct_version;
	out->tcb = leaf->tcb;
	out->hwid_len = leaf->hwid_len;
	memcpy(out->hwid, leaf->hwid, sizeof out->hwid);
	out->csp_id_len = leaf->csp_id_len;
	memcpy(out->csp_id, leaf->csp_id, sizeof out->csp_id);
	out->root_index = -1;
	if (leaf->key_len == sizeof out->key) {
		memcpy(out->key, leaf->key, sizeof out->key);
	}
	memcpy(out->spki_sha256, leaf->spki_sha256, 32);
	out->leaf_profile = leaf->profile;
	set_place(out, 0, leaf);
}

static att_finding judge_names(const att_snp_cert *leaf, const att_snp_cert *issuer, const att_snp_cert *root) {
	uint8_t wanted = leaf->role == ATT_SNP_VCEK ? ATT_SNP_ASK : ATT_SNP_ASVK;
	if (issuer->role != wanted || issuer->product != leaf->product) {
		return att_found(ATT_CODE_CHAIN_NAMES, ATT_FIELD_LEAF, 0);
	}
	if (root != NULL && root->product != issuer->product) {
		return att_found(ATT_CODE_CHAIN_NAMES, ATT_FIELD_ISSUER, 0);
	}
	if (root != NULL && memcmp(root->key, issuer->key, sizeof root->key) == 0) {
		return att_found(ATT_CODE_CHAIN_KEY_REUSED, ATT_FIELD_ISSUER, 0);
	}
	return att_pass();
}

/* No certificate of the issuer's name is known. When it is the root's name the leaf stands in the wrong place; else the ASK or ASVK
 * is missing, and so the chain cannot be judged. */
static void judge_without_issuer(att_snp_leaf *out, const att_snp_cert *leaf, const att_snp_trust *trust) {
	if (anchor_named(trust, leaf) != NULL) {
		out->chain_names = att_found(ATT_CODE_CHAIN_NAMES, ATT_FIELD_LEAF, 0);
	} else {
		out->issuer_profile = att_found(ATT_CODE_CERT_MISSING, ATT_FIELD_ISSUER, 0);
	}
}

static void judge_leaf(att_snp_leaf *out, const chain_scope *scope, const att_snp_cert *leaf, const candidate *best) {
	const att_snp_trust *trust = scope->trust;
	copy_leaf(out, leaf);
	if (best->issuer == NULL) {
		judge_without_issuer(out, leaf, trust);
		return;
	}
	const att_snp_cert *issuer = best->issuer;
	const att_snp_cert *root = issuer->root >= 0 ? &trust->anchors[issuer->root] : anchor_named(trust, issuer);
	set_place(out, 1, issuer);
	out->issuer_profile = issuer->profile;
	out->leaf_signature = best->signed_leaf ? att_pass() : att_found(ATT_CODE_LEAF_SIGNATURE, ATT_FIELD_LEAF, 0);
	out->chain_names = judge_names(leaf, issuer, root);
	if (issuer->root >= 0) {
		out->root = att_pass();
		out->issuer_signature = att_pass();
	} else if (root == NULL || brings_own_root(scope, issuer)) {
		out->root = att_found(ATT_CODE_ROOT_UNTRUSTED, ATT_FIELD_ROOT, 0);
	}
	if (root == NULL) {
		return;
	}
	if (issuer->root < 0) {
		out->issuer_signature = att_found(ATT_CODE_ISSUER_SIGNATURE, ATT_FIELD_ISSUER, 0);
	}
	set_place(out, 2, root);
	out->product = root->product;
	out->root_index = (int32_t)(root - trust->anchors);
}

/* ---- many sets ----------------------------------------------------------------------------------------------------------- */

static chain_scope next_set(const att_snp_trust *trust, const att_snp_cert *certs, const uint32_t *set_of, uint64_t first, uint64_t n) {
	chain_scope scope = {trust, certs, first, first};
	while (scope.end < n && set_of[scope.end] == set_of[first]) {
		scope.end++;
	}
	return scope;
}

uint64_t att_snp_chain_jobs(const att_snp_trust *trust, const att_snp_cert *certs, const uint32_t *set_of, uint64_t n,
                            att_sig_job *jobs) {
	job_walk walk = {jobs, NULL, 0};
	for (uint64_t first = 0; first < n;) {
		chain_scope scope = next_set(trust, certs, set_of, first, n);
		for (uint64_t i = first; i < scope.end; i++) {
			if (is_issuer(&certs[i])) {
				walk_anchors(&walk, trust, &certs[i], i);
			}
		}
		for (uint64_t i = first; i < scope.end; i++) {
			if (is_leaf(&certs[i])) {
				walk_leaf(&walk, &scope, i);
			}
		}
		first = scope.end;
	}
	return walk.num;
}

/* By role and chip, for bisection; then by hash, so that the order in which certificates came decides nothing. */
static bool leaf_after(const att_snp_leaf *x, const att_snp_leaf *y) {
	if (x->role != y->role) {
		return x->role > y->role;
	}
	int chip = memcmp(x->hwid, y->hwid, sizeof x->hwid);
	return chip != 0 ? chip > 0 : memcmp(x->sha256[0], y->sha256[0], 32) > 0;
}

static void swap_leaves(att_snp_leaf *a, att_snp_leaf *b) {
	att_snp_leaf t = *a;
	*a = *b;
	*b = t;
}

static void sift_down(att_snp_leaf *leaves, uint64_t root, uint64_t n) {
	for (uint64_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
		if (child + 1 < n && leaf_after(&leaves[child + 1], &leaves[child])) {
			child++;
		}
		if (!leaf_after(&leaves[child], &leaves[root])) {
			return;
		}
		swap_leaves(&leaves[root], &leaves[child]);
		root = child;
	}
}

/* Heap sort: libc's qsort may allocate. */
static void sort_leaves(att_snp_leaf *leaves, uint64_t n) {
	for (uint64_t i = n / 2; i > 0; i--) {
		sift_down(leaves, i - 1, n);
	}
	for (uint64_t end = n; end > 1; end--) {
		swap_leaves(&leaves[0], &leaves[end - 1]);
		sift_down(leaves, 0, end - 1);
	}
}

static uint64_t finish_set(job_walk *walk, const chain_scope *scope, att_snp_cert *certs, att_snp_leaf *out_leaves) {
	uint64_t num = 0;
	for (uint64_t i = scope->first; i < scope->end; i++) {
		if (is_issuer(&certs[i])) {
			certs[i].root = walk_anchors(walk, scope->trust, &certs[i], i);
		}
	}
	for (uint64_t i = scope->first; i < scope->end; i++) {
		if (is_leaf(&certs[i])) {
			candidate best = walk_leaf(walk, scope, i);
			judge_leaf(&out_leaves[num++], scope, &certs[i], &best);
		}
	}
	sort_leaves(out_leaves, num);
	return num;
}

/* A certificate that cannot be told may have been the one that mattered. */
static void note_malformed(const chain_scope *scope, att_finding *error) {
	for (uint64_t i = scope->first; i < scope->end && error->code <= ATT_PASS; i++) {
		if (scope->certs[i].role == ATT_SNP_OTHER && scope->certs[i].profile.code > ATT_PASS) {
			*error = scope->certs[i].profile;
		}
	}
}

uint64_t att_snp_chain_finish(const att_snp_trust *trust, att_snp_cert *certs, const uint32_t *set_of, uint64_t n, uint64_t num_sets,
                              const att_sig_job *jobs, att_snp_leaf *out_leaves, uint32_t *out_set_first, att_finding *errors) {
	job_walk walk = {NULL, jobs, 0};
	uint64_t num = 0;
	uint64_t set = 0;
	for (uint64_t first = 0; first < n;) {
		chain_scope scope = next_set(trust, certs, set_of, first, n);
		while (set < num_sets && set <= set_of[first]) {
			out_set_first[set++] = (uint32_t)num;
		}
		num += finish_set(&walk, &scope, certs, out_leaves + num);
		note_malformed(&scope, &errors[set_of[first]]);
		first = scope.end;
	}
	while (set <= num_sets) {
		out_set_first[set++] = (uint32_t)num;
	}
	return num;
}
