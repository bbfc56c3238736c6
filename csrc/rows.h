/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.h: one row of a column, whatever its form. */
#ifndef ATT_ROWS_H
#define ATT_ROWS_H

#include <stdbool.h>

#include "attest.h"

/* Sets *out and *out_len to row i (i < rows->n). False for a null row, and for one whose offsets do not lie in the data. */
bool att_row(const att_rows *rows, uint64_t i, const uint8_t **out, uint64_t *out_len);

/* SipHash-1-3 of data under a random key: for places in tables, and to notice that bytes changed. Nothing is trusted for it. */
uint64_t att_sip13(const uint8_t key[16], const uint8_t *data, uint64_t len);

#endif
