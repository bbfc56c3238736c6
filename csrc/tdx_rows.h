/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_rows.h: one row of quotes while it is judged, as tdx_verify.c and tdx_policy.c share it. */
#ifndef ATT_TDX_ROWS_H
#define ATT_TDX_ROWS_H

#include <stdbool.h>

#include "attest.h"
#include "reader.h"

/* Bits of TDATTRIBUTES (TDX module ABI, TD_ATTRIBUTES) and of an enclave's ATTRIBUTES (SDM, SECS) that have checks of their own. */
#define TD_ATTRIBUTES_DEBUG 0x1u
#define TD_ATTRIBUTES_MIGRATABLE (UINT64_C(1) << 29)
#define SGX_ATTRIBUTES_DEBUG 0x2u

/* att_tdx_collateral.identity_id */
#define TDX_IDENTITY_QE 1
#define TDX_IDENTITY_TD_QE 2

typedef struct {
	const att_tdx_plan *plan;
	int64_t at;
	bool timely;                          /* at is a time */
	bool parsed;                          /* every part of the quote has its place */
	const uint8_t *bytes;                 /* the quote: a private copy, for the caller's buffer may change meanwhile */
	uint64_t len;
	att_tdx_quote quote;
	const att_tdx_platform *platform;     /* NULL: none */
	const att_tdx_collateral *collateral; /* NULL: none, or none that could be taken apart */
	att_tcb_result tcb;
	int64_t valid_until;
	uint64_t required[2];                 /* bit a check: it must pass */
	uint32_t omissions;
	att_finding findings[ATT_TDX_NUM_CHECKS];
} att_tdx_row;

static inline bool att_tdx_row_passed(const att_tdx_row *row, uint32_t check) { return row->findings[check].code == ATT_PASS; }

/* The verdict holds no longer than to end. */
static inline void att_tdx_row_ends(att_tdx_row *row, int64_t end) {
	if (row->valid_until == ATT_NO_TIME || end < row->valid_until) {
		row->valid_until = end;
	}
}

/* TCB status and policy; see tdx_policy.c. Adds to required what was asked. */
void att_tdx_apply_policy(att_tdx_row *row);

#endif
