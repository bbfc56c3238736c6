/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_layout.h: where each field of ATTESTATION_REPORT lies (AMD 56860, rev 1.55 table 23, rev 1.58 table 23, rev 1.59 table 27).
 * The only place that holds these numbers. SNP_ALL(X) lists the fields that every version has; the places that versions use
 * differently follow, each with the versions it is meant for. */
#ifndef ATT_SNP_LAYOUT_H
#define ATT_SNP_LAYOUT_H

#include "attest.h"

#define SNP_ALL(X)                                                                                                                   \
	X(VERSION, 0x000, 4)                                                                                                             \
	X(GUEST_SVN, 0x004, 4)                                                                                                           \
	X(POLICY, 0x008, 8)                                                                                                              \
	X(FAMILY_ID, 0x010, 16)                                                                                                          \
	X(IMAGE_ID, 0x020, 16)                                                                                                           \
	X(VMPL, 0x030, 4)                                                                                                                \
	X(SIGNATURE_ALGO, 0x034, 4)                                                                                                      \
	X(CURRENT_TCB, 0x038, 8)                                                                                                         \
	X(PLATFORM_INFO, 0x040, 8)                                                                                                       \
	X(KEY_INFO, 0x048, 4)                                                                                                            \
	X(RESERVED_04C, 0x04C, 4)                                                                                                        \
	X(REPORT_DATA, 0x050, 64)                                                                                                        \
	X(MEASUREMENT, 0x090, 48)                                                                                                        \
	X(HOST_DATA, 0x0C0, 32)                                                                                                          \
	X(ID_KEY_DIGEST, 0x0E0, 48)                                                                                                      \
	X(AUTHOR_KEY_DIGEST, 0x110, 48)                                                                                                  \
	X(REPORT_ID, 0x140, 32)                                                                                                          \
	X(REPORT_ID_MA, 0x160, 32)                                                                                                       \
	X(REPORTED_TCB, 0x180, 8)                                                                                                        \
	X(CPUID_FAM_ID, 0x188, 1)                                                                                                        \
	X(CPUID_MOD_ID, 0x189, 1)                                                                                                        \
	X(CPUID_STEP, 0x18A, 1)                                                                                                          \
	X(RESERVED_18B, 0x18B, 21)                                                                                                       \
	X(CHIP_ID, 0x1A0, 64)                                                                                                            \
	X(COMMITTED_TCB, 0x1E0, 8)                                                                                                       \
	X(CURRENT_VERSION, 0x1E8, 3) /* build, minor, major: in this order */                                                            \
	X(RESERVED_1EB, 0x1EB, 1)                                                                                                        \
	X(COMMITTED_VERSION, 0x1EC, 3)                                                                                                   \
	X(RESERVED_1EF, 0x1EF, 1)                                                                                                        \
	X(LAUNCH_TCB, 0x1F0, 8)                                                                                                          \
	X(LAUNCH_MIT_VECTOR, 0x1F8, 8)                                                                                                   \
	X(CURRENT_MIT_VECTOR, 0x200, 8)                                                                                                  \
	X(RESERVED_208, 0x208, 24)                                                                                                       \
	X(CURRENT_ETCB, 0x220, 32)                                                                                                       \
	X(LAUNCH_ETCB, 0x240, 32)                                                                                                        \
	X(COMMITTED_ETCB, 0x260, 32)                                                                                                     \
	X(RESERVED_280, 0x280, 32)                                                                                                       \
	X(SIGNATURE_R, 0x2A0, 72)                                                                                                        \
	X(SIGNATURE_S, 0x2E8, 72)                                                                                                        \
	X(SIGNATURE_RESERVED, 0x330, 368)

enum {
#define SNP_PLACE(name, offset, size) SNP_AT_##name = (offset), SNP_SIZE_##name = (size),
	SNP_ALL(SNP_PLACE)
#undef SNP_PLACE
	SNP_R_VALUE_SIZE = 48, /* the upper 24 of the 72 bytes of R and S are zero */
	SNP_SHORT_CHIP_ID = 8  /* Turin's; the other 56 bytes are zero */
};

/* Ranges that must be zero. A range of a version that gives it a meaning is left out there. */
typedef struct {
	uint16_t field;
	uint16_t offset;
	uint16_t size;
	uint8_t first_version; /* versions first..last reserve it */
	uint8_t last_version;
} snp_reserved_range;

static const snp_reserved_range SNP_RESERVED[] = {
    {ATT_FIELD_RESERVED_04C, SNP_AT_RESERVED_04C, SNP_SIZE_RESERVED_04C, 2, 6},
    {ATT_FIELD_RESERVED_188, SNP_AT_CPUID_FAM_ID, 24, 2, 2}, /* CPUID came with version 3 */
    {ATT_FIELD_RESERVED_18B, SNP_AT_RESERVED_18B, SNP_SIZE_RESERVED_18B, 3, 6},
    {ATT_FIELD_RESERVED_1EB, SNP_AT_RESERVED_1EB, SNP_SIZE_RESERVED_1EB, 2, 6},
    {ATT_FIELD_RESERVED_1EF, SNP_AT_RESERVED_1EF, SNP_SIZE_RESERVED_1EF, 2, 6},
    {ATT_FIELD_RESERVED_1F8, SNP_AT_LAUNCH_MIT_VECTOR, 16, 2, 3}, /* unpublished in 4, mitigation vectors from 5 */
    {ATT_FIELD_RESERVED_208, SNP_AT_RESERVED_208, SNP_AT_SIGNATURE_R - SNP_AT_RESERVED_208, 2, 5},
    {ATT_FIELD_RESERVED_208, SNP_AT_RESERVED_208, SNP_SIZE_RESERVED_208, 6, 6},
    {ATT_FIELD_RESERVED_280, SNP_AT_RESERVED_280, SNP_SIZE_RESERVED_280, 6, 6},
    {ATT_FIELD_SIGNATURE_RESERVED, SNP_AT_SIGNATURE_RESERVED, SNP_SIZE_SIGNATURE_RESERVED, 2, 6}, /* outside the signed part */
};

/* KEY_INFO (56860, ATTESTATION_REPORT, offset 0x48). */
enum {
	SNP_KEY_INFO_AUTHOR_KEY_EN = 1u << 0,
	SNP_KEY_INFO_MASK_CHIP_KEY = 1u << 1,
	SNP_KEY_INFO_SIGNING_KEY_SHIFT = 2,
	SNP_KEY_INFO_RESERVED_SHIFT = 5,
	SNP_SIGNING_KEY_VCEK = 0,
	SNP_SIGNING_KEY_VLEK = 1,
	SNP_SIGNING_KEY_NONE = 7
};

/* POLICY (56860, GUEST_POLICY): bit 17 is reserved and must be one; the library knows bits 0 to 25. */
#define SNP_POLICY_BIT_17 (UINT64_C(1) << 17)
#define SNP_POLICY_MIGRATE_MA (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG (UINT64_C(1) << 19)
#define SNP_POLICY_UNKNOWN (~((UINT64_C(1) << 26) - 1))

#define SNP_ALGO_ECDSA_P384_SHA384 1
#define SNP_VMPL_HOST UINT32_C(0xFFFFFFFF) /* MSG_REPORT_REQ of the host: SNP_HV_REPORT_REQ */
#define SNP_VMPL_MAX 3

/* TCB_VERSION: the byte that holds each part, -1 for a part that the product has not; every other byte is reserved.
 * Tables 3 to 5 of 56860 rev 1.59. */
typedef struct {
	int8_t fmc, boot_loader, tee, snp, microcode;
} snp_tcb_layout;

enum { SNP_TCB_UNKNOWN = 0, SNP_TCB_MILAN = 1, SNP_TCB_TURIN = 2 };

static const snp_tcb_layout SNP_TCB_LAYOUTS[] = {
    [SNP_TCB_UNKNOWN] = {-1, -1, -1, -1, -1},
    [SNP_TCB_MILAN] = {-1, 0, 1, 6, 7}, /* Milan, Genoa, Bergamo, Siena */
    [SNP_TCB_TURIN] = {0, 1, 2, 3, 7},
};

#endif
