/* SPDX-License-Identifier: Apache-2.0
 *
 * snp_cert.h: what AMD's certificates and CRLs have in common. */
#ifndef ATT_SNP_CERT_H
#define ATT_SNP_CERT_H

#include "x509.h"

/* Whether an AlgorithmIdentifier (whole) is AMD's: RSASSA-PSS, SHA-384, MGF1 with SHA-384, 48 bytes of salt. */
bool att_amd_algorithm_ok(const uint8_t *der, att_span algorithm);

/* A signatureValue (whole) of a 4096-bit key: copies its 512 bytes. */
bool att_amd_signature(const uint8_t *der, att_span signature, uint8_t out[512]);

/* Whether a Name (whole) is AMD's with this commonName: OU, C, L, ST, O, CN, one to a set, in the one encoding that AMD uses. */
bool att_amd_name_ok(const uint8_t *der, att_span name, att_span common_name);

/* The role and product of a CA by its commonName, compared whole. ATT_SNP_OTHER when it is none of AMD's. */
uint8_t att_amd_ca_of_name(const uint8_t *der, att_span common_name, uint8_t *out_product);

/* The product that a word names, or ATT_PRODUCT_NONE. */
uint8_t att_amd_product_named(const uint8_t *word, uint32_t len);

#endif
