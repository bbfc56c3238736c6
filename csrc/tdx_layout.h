/* SPDX-License-Identifier: Apache-2.0
 *
 * tdx_layout.h: where each field of a quote lies (Intel SGX ECDSA QuoteLibReference and TDX DCAP Quoting Library API, quote
 * formats of versions 3, 4 and 5; for bodies of type 4 sgx_quote_5.h of DCAP). The only place that holds these numbers. Integers
 * are little-endian, keys and signatures big-endian.
 *
 *   header 48 | version 5: body type 2, body size 4 | body | signature section length 4 | quote signature 64 | QE section
 *   QE section: attestation key 64 | from version 4: type 2 (6), size 4 | QE report 384 | its signature 64 |
 *               length 2, authentication data | type 2, size 4, certification data */
#ifndef ATT_TDX_LAYOUT_H
#define ATT_TDX_LAYOUT_H

#include "attest.h"

/* Of the quote. Versions 4 and 5 reserve the four bytes of the two SVNs. */
#define TDX_HEADER(X)                                                                                                                \
	X(QUOTE_VERSION, 0, 2)                                                                                                           \
	X(QUOTE_KEY_TYPE, 2, 2)                                                                                                          \
	X(QUOTE_TEE_TYPE, 4, 4)                                                                                                          \
	X(QUOTE_QE_SVN, 8, 2)                                                                                                            \
	X(QUOTE_PCE_SVN, 10, 2)                                                                                                          \
	X(QUOTE_QE_VENDOR, 12, 16)                                                                                                       \
	X(QUOTE_USER_DATA, 28, 20)

/* Of an enclave's report: body of type 1, and the QE's own. */
#define TDX_ENCLAVE(X)                                                                                                               \
	X(SGX_CPU_SVN, 0, 16)                                                                                                            \
	X(SGX_MISC_SELECT, 16, 4)                                                                                                        \
	X(SGX_RESERVED_14, 20, 12)                                                                                                       \
	X(SGX_ISV_EXT_PROD_ID, 32, 16)                                                                                                   \
	X(SGX_ATTRIBUTES, 48, 16)                                                                                                        \
	X(SGX_MR_ENCLAVE, 64, 32)                                                                                                        \
	X(SGX_RESERVED_60, 96, 32)                                                                                                       \
	X(SGX_MR_SIGNER, 128, 32)                                                                                                        \
	X(SGX_RESERVED_A0, 160, 32)                                                                                                      \
	X(SGX_CONFIG_ID, 192, 64)                                                                                                        \
	X(SGX_ISV_PROD_ID, 256, 2)                                                                                                       \
	X(SGX_ISV_SVN, 258, 2)                                                                                                           \
	X(SGX_CONFIG_SVN, 260, 2)                                                                                                        \
	X(SGX_RESERVED_106, 262, 42)                                                                                                     \
	X(SGX_ISV_FAMILY_ID, 304, 16)                                                                                                    \
	X(SGX_REPORT_DATA, 320, 64)

/* Of a TD's report: body of type 2; type 3 adds to it, and type 4 to that. */
#define TDX_TD10(X)                                                                                                                  \
	X(TEE_TCB_SVN, 0, 16)                                                                                                            \
	X(MR_SEAM, 16, 48)                                                                                                               \
	X(MR_SIGNER_SEAM, 64, 48)                                                                                                        \
	X(SEAM_ATTRIBUTES, 112, 8)                                                                                                       \
	X(TD_ATTRIBUTES, 120, 8)                                                                                                         \
	X(XFAM, 128, 8)                                                                                                                  \
	X(MR_TD, 136, 48)                                                                                                                \
	X(MR_CONFIG_ID, 184, 48)                                                                                                         \
	X(MR_OWNER, 232, 48)                                                                                                             \
	X(MR_OWNER_CONFIG, 280, 48)                                                                                                      \
	X(RT_MR0, 328, 48)                                                                                                               \
	X(RT_MR1, 376, 48)                                                                                                               \
	X(RT_MR2, 424, 48)                                                                                                               \
	X(RT_MR3, 472, 48)                                                                                                               \
	X(TD_REPORT_DATA, 520, 64)

#define TDX_TD15(X)                                                                                                                  \
	TDX_TD10(X)                                                                                                                      \
	X(TEE_TCB_SVN_2, 584, 16)                                                                                                        \
	X(MR_SERVICE_TD, 600, 48)

#define TDX_TD15_EX(X)                                                                                                               \
	TDX_TD15(X)                                                                                                                      \
	X(VM_ID, 648, 1)                                                                                                                 \
	X(TD_ID, 649, 32)                                                                                                                \
	X(DEV_INFO, 681, 48)                                                                                                             \
	X(INIT_SERVTD_HASH, 729, 48)                                                                                                     \
	X(INIT_SERVTD_ATTR, 777, 8)                                                                                                      \
	X(INIT_CPU_SVN, 785, 16)                                                                                                         \
	X(INIT_TEE_TCB_SVN, 801, 16)                                                                                                     \
	X(INIT_TEE_FMSPC, 817, 12)                                                                                                       \
	X(CUR_SERVTD_HASH, 829, 48)                                                                                                      \
	X(CUR_SERVTD_ATTR, 877, 8)

/* Of the quote in version 5, behind the header. */
#define TDX_DESCRIPTOR(X)                                                                                                            \
	X(QUOTE_BODY_TYPE, 48, 2)                                                                                                        \
	X(QUOTE_BODY_SIZE, 50, 4)

/* Of certification data of types 1, 2 and 3, counted from the end of the PPID. */
#define TDX_PCK_ID(X)                                                                                                                \
	X(PCK_ID_CPU_SVN, 0, 16)                                                                                                         \
	X(PCK_ID_PCE_SVN, 16, 2)                                                                                                         \
	X(PCK_ID_PCE_ID, 18, 2)

enum {
#define TDX_PLACE(name, offset, size) TDX_AT_##name = (offset), TDX_SIZE_##name = (size),
	TDX_HEADER(TDX_PLACE)
	TDX_DESCRIPTOR(TDX_PLACE)
	TDX_ENCLAVE(TDX_PLACE)
	TDX_TD15_EX(TDX_PLACE)
	TDX_PCK_ID(TDX_PLACE)
#undef TDX_PLACE
	TDX_HEADER_LEN = 48,
	TDX_DESCRIPTOR_LEN = 6,
	TDX_ENCLAVE_LEN = 384,
	TDX_TD10_LEN = 584,
	TDX_TD15_LEN = 648,
	TDX_TD15_EX_LEN = 885,
	TDX_HEADER_RESERVED_LEN = 4,  /* versions 4 and 5, from QE SVN on */
	TDX_SIGNATURE_LEN = 64,
	TDX_KEY_LEN = 64,
	TDX_PCK_ID_LEN = 20,
	TDX_PPID_LEN = 16,            /* encrypted: 256 (RSA-2048) or 384 (RSA-3072) */
	TDX_PPID_2048_LEN = 256,
	TDX_PPID_3072_LEN = 384
};

enum { TDX_KEY_ECDSA_P256 = 2 };

/* Certification data types. 6 holds the QE's report and certification data; it stands outside alone. */
enum {
	TDX_CERTIFICATION_PPID = 1,
	TDX_CERTIFICATION_PPID_2048 = 2,
	TDX_CERTIFICATION_PPID_3072 = 3,
	TDX_CERTIFICATION_PCK = 4,
	TDX_CERTIFICATION_CHAIN = 5,
	TDX_CERTIFICATION_QE = 6
};

#endif
