/* SPDX-License-Identifier: Apache-2.0
 *
 * snp.h: what the parts of the SEV-SNP code share inside the core. */
#ifndef ATT_SNP_H
#define ATT_SNP_H

#include <stdbool.h>

#include "attest.h"
#include "reader.h"

/* Product line of a CPUID family and model (56860 rev 1.59; AMD revision guides): every family and model has one answer. */
uint8_t att_snp_product_of_cpuid(uint8_t family, uint8_t model);

/* Which layout a product's TCB_VERSION has (SNP_TCB_*). */
uint8_t att_snp_tcb_layout_of(uint8_t product);

/* Reads the parts of one TCB_VERSION. Returns the index of the first reserved byte that is not zero, or 8. */
uint32_t att_snp_tcb_read(const uint8_t raw[8], uint8_t layout, att_snp_tcb *out);

/* Reads the four TCBs of a report in the layout given, and judges their reserved bytes. */
att_finding att_snp_read_tcbs(const uint8_t *report, uint8_t layout, att_snp_report *out);

/* CHIP_ID has a non-zero byte behind the 8 that Turin's have: whatever made this report is no Turin. */
bool att_snp_chip_is_long(const uint8_t *report);

/* Every part of a is at least (at most) that of b. */
bool att_snp_tcb_ge(const att_snp_tcb *a, const att_snp_tcb *b);
bool att_snp_tcb_eq(const att_snp_tcb *a, const att_snp_tcb *b);

/* Number of the check's finding, for readability at the call. */
#define SNP_SET(findings, check, finding) ((findings)[ATT_SNP_CHECK_##check] = (finding))

/* The checks that need the report alone; see att_snp_parse. report has ATT_SNP_REPORT_LEN bytes. */
bool att_snp_parse_fixed(const uint8_t *report, uint8_t product_hint, att_snp_report *out, att_finding *findings);

/* The checks of the policy; leaf may be NULL (then those that need one stay ATT_NOT_RUN). Adds to *required what was asked. */
void att_snp_apply_policy(const att_snp_policy *policy, const uint8_t *report, const att_snp_report *fields, const att_snp_leaf *leaf,
                          att_finding *findings, uint64_t *required, uint32_t *omissions);

#endif
