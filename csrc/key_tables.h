/* SPDX-License-Identifier: Apache-2.0
 *
 * key_tables.h: what engines keep of keys that come back (att_key_tables of attest.h; docs/design/0002-key-tables.md). Any number of
 * threads may share one; nobody waits for anybody. A slot number is valid until it is unpinned. */
#ifndef ATT_KEY_TABLES_H
#define ATT_KEY_TABLES_H

#include <stdbool.h>

#include "attest.h"

#define ATT_KEY_TABLE_BYTES 20480  /* of one table: 160 affine points at 128 bytes */
#define ATT_KEY_MAX_BYTES 96

/* A key and its table, for as long as its slot is pinned. */
typedef struct {
	const uint8_t *key;
	const void *table;
} att_known_key;

/* Where a key's slots and count are; format tells curves and engines apart. Nothing is decided by it. */
uint64_t att_key_hash(const att_key_tables *tables, uint32_t format, const uint8_t *key, uint32_t key_len);

/* The slot, pinned, that has this key's table in this format; -1 for none. */
int32_t att_key_find(att_key_tables *tables, uint64_t hash, uint32_t format, const uint8_t *key, uint32_t key_len);

/* Counts signatures of a key without a table; returns how many there were, these included. */
uint32_t att_key_seen(att_key_tables *tables, uint64_t hash, uint32_t num);

/* A slot to build this key's table in, which takes the place of one that nobody uses; -1 for none, or when the key is being built
 * elsewhere. Publish it: good says that the table is made, and the slot is then pinned; else it is free again. */
int32_t att_key_claim(att_key_tables *tables, uint64_t hash, uint32_t format, const uint8_t *key, uint32_t key_len);
void *att_key_memory(att_key_tables *tables, int32_t slot);
void att_key_publish(att_key_tables *tables, int32_t slot, bool good);

/* Once more pinned, and once less. */
void att_key_pin(att_key_tables *tables, int32_t slot);
void att_key_unpin(att_key_tables *tables, int32_t slot);

att_known_key att_key_known(const att_key_tables *tables, int32_t slot);

#endif
