/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_collateral.c: targets att_tdx_collateral_begin, att_pcs_open and att_tdx_evaluate. The input stands for each part in turn: TCB info,
 * identity, chain, CRL, response. Invariant: every finding is set and points into the input; what passed is in order, its advisories lie in
 * the text, and evaluation over it gives only what the tables hold; what failed has no table. */
#include <stdlib.h>
#include <string.h>

#include "attest.h"

static void require(int condition) {
	if (!condition) {
		abort();
	}
}

static void check_finding(const att_finding *finding, size_t size) {
	require(finding->code != ATT_NOT_RUN);
	require(finding->code == ATT_PASS || finding->offset <= size);
}

static void check_levels(const att_tdx_collateral *c, int document, const att_tcb_level *levels, uint32_t num, size_t size) {
	for (uint32_t i = 0; i < num; i++) {
		const att_tcb_level *a = &levels[i];
		require(a->status != ATT_TCB_NONE && att_tcb_status_name(a->status) != NULL && a->date >= 0);
		require((uint64_t)a->first_advisory + a->num_advisories <= c->num_advisories[document]);
		for (uint32_t k = 0; k < a->num_advisories; k++) {
			att_span id = c->advisories[document][a->first_advisory + k];
			require(id.len > 0 && id.len <= 32 && (uint64_t)id.offset + id.len <= size);
		}
		if (i > 0) {
			const att_tcb_level *above = &levels[i - 1];
			int order = memcmp(above->sgx, a->sgx, 16);
			order = order != 0 ? order : (int)above->pce_svn - (int)a->pce_svn;
			order = order != 0 ? order : memcmp(above->tdx, a->tdx, 16);
			require((order != 0 ? order : (int)above->isv_svn - (int)a->isv_svn) > 0);
		}
	}
}

static void check_tables(const att_tdx_collateral *c, size_t size) {
	require(c->num_levels <= ATT_TCB_MAX_LEVELS && c->num_modules <= ATT_TCB_MAX_MODULES && c->num_qe_levels <= ATT_TCB_MAX_LEVELS);
	require((c->tcb_info.code == ATT_PASS) == (c->num_levels > 0));
	require((c->identity.code == ATT_PASS) == (c->num_qe_levels > 0));
	check_levels(c, 0, c->levels, c->num_levels, size);
	check_levels(c, 1, c->qe_levels, c->num_qe_levels, size);
	for (uint32_t i = 0; i < c->num_modules; i++) {
		require(c->modules[i].num_levels <= ATT_TCB_MAX_MODULE_LEVELS && (i == 0) == (c->modules[i].num_levels == 0));
		check_levels(c, 0, c->modules[i].levels, c->modules[i].num_levels, size);
	}
}

/* The platform is the document's own; its SVNs are whatever the input's last bytes are. */
static void check_evaluation(const att_tdx_collateral *c, const uint8_t *data, size_t size) {
	uint8_t body[885] = {0};
	att_pck_info pck;
	size_t n = size < sizeof body ? size : sizeof body;
	if (n != 0) {
		memcpy(body, data + size - n, n);
	}
	memset(&pck, 0, sizeof pck);
	memcpy(pck.fmspc, c->fmspc, sizeof pck.fmspc);
	memcpy(pck.pce_id, c->pce_id, sizeof pck.pce_id);
	memcpy(pck.components, body, sizeof pck.components);
	pck.pce_svn = body[16];
	for (uint16_t type = 0; type <= 5; type++) {
		att_tcb_result r;
		att_tdx_evaluate(c, &pck, body[17], type, body, 48, &r);
		require(r.level[0] < (int32_t)c->num_levels && r.level[1] < (int32_t)c->num_levels);
		require(r.module[0] < (int32_t)c->num_modules && r.qe_level < (int32_t)c->num_qe_levels);
		require((r.status != ATT_TCB_NONE) == (r.found.code == ATT_PASS));
		require(r.status == ATT_TCB_NONE || r.date >= 0);
	}
}

static void run(const att_collateral_parts *parts, const uint8_t *data, size_t size) {
	static att_serial serials[1 << 18];
	static att_tdx_collateral c;
	static const att_intel_trust nobody;
	att_sig_job jobs[ATT_TDX_COLLATERAL_JOBS];
	uint64_t num = att_tdx_collateral_begin(&nobody, parts, &c, serials, sizeof serials / sizeof serials[0], jobs);
	require(num <= ATT_TDX_COLLATERAL_JOBS);
	check_finding(&c.error, size);
	check_finding(&c.tcb_info, size);
	check_finding(&c.identity, size);
	check_tables(&c, size);
	check_evaluation(&c, data, size);
	for (uint64_t i = 0; i < num; i++) {
		jobs[i].outcome = ATT_SIG_INVALID;
	}
	att_tdx_collateral_finish(&nobody, &c, jobs);
	require(c.root_crl_genuine.code > ATT_PASS && c.pck_crl_genuine.code > ATT_PASS); /* nobody is trusted */
	require(c.tcb_signer.chain.code > ATT_PASS && c.identity_signer.chain.code > ATT_PASS);
}

static void run_response(const uint8_t *data, size_t size) {
	static const char *const names[] = {"tcbInfo", "enclaveIdentity", "tcbEvaluationDataNumbers"};
	for (int i = 0; i < 3; i++) {
		att_span object;
		uint8_t signature[64];
		att_finding error;
		if (att_pcs_open(data, size, names[i], &object, signature, &error)) {
			require(object.len >= 2 && (uint64_t)object.offset + object.len <= size);
			require(data[object.offset] == '{' && data[object.offset + object.len - 1] == '}');
		} else {
			require(error.code > ATT_PASS && error.offset <= size);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	att_collateral_parts documents = {.tcb_info = data, .tcb_info_len = size, .identity = data, .identity_len = size};
	att_collateral_parts rest = {.tcb_info_chain = data, .tcb_info_chain_len = size, .root_crl = data, .root_crl_len = size,
	                             .pck_crl_chain = data, .pck_crl_chain_len = size, .pck_crl = data, .pck_crl_len = size,
	                             .tcb_info_signature = data, .tcb_info_signature_len = size};
	run(&documents, data, size);
	run(&rest, data, size);
	run_response(data, size);
	return 0;
}
