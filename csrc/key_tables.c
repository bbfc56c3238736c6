/* SPDX-License-Identifier: Apache-2.0
 *
 * key_tables.c: tables of keys that come back, in memory of the caller: a head, arrays of 32-bit atomics, and slots of one size in
 * sets of WAYS. A slot is free, being built by one thread, or ready with a count of those who use it; each change is one
 * compare-exchange, so no thread waits and none sees a table that is half made. Public data only. */
#include "key_tables.h"

#include <stdatomic.h>
#include <string.h>

#include "rows.h"

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && sizeof(atomic_uint) == 4, "32-bit atomics without locks");

#define WAYS 8
#define COUNTS 4        /* a slot: fingerprints of keys without a table */
#define ALIGNMENT 64
#define MAX_SLOTS (UINT32_C(1) << 22)

enum { FREE = 0, BUILDING = 1 };
#define READY UINT32_C(0x80000000)  /* plus the count of users */

typedef struct {
	uint8_t key[ATT_KEY_MAX_BYTES];
	uint32_t key_len;
	uint32_t format;
	uint8_t unused[24];
	uint8_t table[ATT_KEY_TABLE_BYTES];
} key_slot;
_Static_assert(sizeof(key_slot) % ALIGNMENT == 0 && offsetof(key_slot, table) % ALIGNMENT == 0, "tables are aligned");

struct att_key_tables {
	uint8_t seed[16];
	uint32_t num_slots, num_sets, ways, num_counts;
	atomic_uint tick, hits, builds, evictions;
	atomic_uint *state;  /* num_slots each */
	atomic_uint *tag;    /* a part of the hash, never 0: spares looking at most keys that are others */
	atomic_uint *used;   /* the tick of the last use */
	atomic_uint *count;  /* fingerprint << 16 | signatures seen */
	key_slot *slots;
};

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

static uint64_t aligned(uint64_t n) { return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static uint64_t bytes_for(uint64_t num_slots) {
	return ALIGNMENT + aligned(sizeof(att_key_tables)) + aligned(num_slots * (3 + COUNTS) * sizeof(atomic_uint)) +
	       num_slots * sizeof(key_slot);
}

uint64_t att_key_tables_least(void) { return bytes_for(1); }

static void lay_out(att_key_tables *t, uint64_t num_slots) {
	t->ways = num_slots < WAYS ? (uint32_t)num_slots : WAYS;
	t->num_sets = (uint32_t)(num_slots / t->ways);
	t->num_slots = t->num_sets * t->ways;
	t->num_counts = t->num_slots * COUNTS;
	t->state = (atomic_uint *)(void *)((uint8_t *)t + aligned(sizeof *t));
	t->tag = t->state + t->num_slots;
	t->used = t->tag + t->num_slots;
	t->count = t->used + t->num_slots;
	t->slots = (key_slot *)(void *)((uint8_t *)t->state + aligned((uint64_t)t->num_slots * (3 + COUNTS) * sizeof(atomic_uint)));
}

att_key_tables *att_key_tables_init(void *memory, uint64_t len, const uint8_t *seed) {
	const uint64_t skip = (ALIGNMENT - (uintptr_t)memory % ALIGNMENT) % ALIGNMENT;
	uint64_t num_slots = len / (sizeof(key_slot) + (3 + COUNTS) * sizeof(atomic_uint));
	if (memory == NULL || len < att_key_tables_least()) {
		return NULL;
	}
	num_slots = num_slots < MAX_SLOTS ? num_slots : MAX_SLOTS;
	while (bytes_for(num_slots) > len) {
		num_slots--;
	}
	att_key_tables *t = (att_key_tables *)(void *)((uint8_t *)memory + skip);
	memcpy(t->seed, seed, sizeof t->seed);
	lay_out(t, num_slots);
	atomic_init(&t->tick, 0);
	atomic_init(&t->hits, 0);
	atomic_init(&t->builds, 0);
	atomic_init(&t->evictions, 0);
	for (uint32_t i = 0; i < t->num_slots * (3 + COUNTS); i++) {
		atomic_init(&t->state[i], 0);
	}
	return t;
}

static uint32_t read_word(const atomic_uint *word) { return atomic_load_explicit(word, memory_order_relaxed); }

void att_key_tables_stats(const att_key_tables *t, att_key_stats *out) {
	memset(out, 0, sizeof *out);
	out->slots = t->num_slots;
	out->table_bytes = sizeof(key_slot);
	for (uint32_t i = 0; i < t->num_slots; i++) {
		out->used += (read_word(&t->state[i]) & READY) != 0 ? 1 : 0;
	}
	out->hits = read_word(&t->hits);
	out->builds = read_word(&t->builds);
	out->evictions = read_word(&t->evictions);
}

/* ---- users --------------------------------------------------------------------------------------------------------------- */

uint64_t att_key_hash(const att_key_tables *t, uint32_t format, const uint8_t *key, uint32_t key_len) {
	return att_sip13(t->seed, key, key_len) + format * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t first_way(const att_key_tables *t, uint64_t hash) { return (uint32_t)((hash >> 32) * t->num_sets >> 32) * t->ways; }
static uint32_t tag_of(uint64_t hash) { return (uint32_t)hash | 1; }

static bool pin_ready(att_key_tables *t, uint32_t i) {
	unsigned state = read_word(&t->state[i]);
	do {
		if ((state & READY) == 0) {
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(&t->state[i], &state, state + 1, memory_order_acquire, memory_order_relaxed));
	return true;
}

void att_key_pin(att_key_tables *t, int32_t slot) { atomic_fetch_add_explicit(&t->state[slot], 1, memory_order_relaxed); }
void att_key_unpin(att_key_tables *t, int32_t slot) { atomic_fetch_sub_explicit(&t->state[slot], 1, memory_order_release); }

static bool has_key(const key_slot *slot, uint32_t format, const uint8_t *key, uint32_t key_len) {
	return slot->format == format && slot->key_len == key_len && memcmp(slot->key, key, key_len) == 0;
}

int32_t att_key_find(att_key_tables *t, uint64_t hash, uint32_t format, const uint8_t *key, uint32_t key_len) {
	const uint32_t first = first_way(t, hash);
	for (uint32_t i = first; i < first + t->ways; i++) {
		if (read_word(&t->tag[i]) != tag_of(hash) || !pin_ready(t, i)) {
			continue;
		}
		if (has_key(&t->slots[i], format, key, key_len)) {
			const uint32_t now = atomic_fetch_add_explicit(&t->tick, 1, memory_order_relaxed);
			atomic_store_explicit(&t->used[i], now, memory_order_relaxed);
			atomic_fetch_add_explicit(&t->hits, 1, memory_order_relaxed);
			return (int32_t)i;
		}
		att_key_unpin(t, (int32_t)i);
	}
	return -1;
}

att_known_key att_key_known(const att_key_tables *t, int32_t slot) {
	return (att_known_key){t->slots[slot].key, t->slots[slot].table};
}

/* ---- builders ------------------------------------------------------------------------------------------------------------ */

static atomic_uint *count_of(att_key_tables *t, uint64_t hash) {
	return &t->count[(uint32_t)((hash & UINT32_MAX) * t->num_counts >> 32)];
}

/* Where two keys meet in one count, the one that brings more stays. Counts only decide speed: one that is lost, when threads meet,
 * is no loss. */
uint32_t att_key_seen(att_key_tables *t, uint64_t hash, uint32_t num) {
	atomic_uint *word = count_of(t, hash);
	const uint32_t now = read_word(word), count = now & UINT16_MAX;
	uint32_t fingerprint = (uint32_t)(hash >> 48), kept = num < UINT16_MAX ? num : UINT16_MAX;
	uint32_t total = kept;
	if (now >> 16 == fingerprint) {
		kept = total = count + kept < UINT16_MAX ? count + kept : UINT16_MAX;
	} else if (count > kept) {
		fingerprint = now >> 16;
		kept = count - kept;
	}
	atomic_store_explicit(word, fingerprint << 16 | kept, memory_order_relaxed);
	return total;
}

/* The slot of a set that gives way: a free one, or the one not used for longest; its state as seen in *state. -1 for none. */
static int32_t victim(const att_key_tables *t, uint32_t first, uint32_t *state) {
	const uint32_t now = read_word(&t->tick);
	int32_t oldest = -1;
	for (uint32_t i = first; i < first + t->ways; i++) {
		const uint32_t found = read_word(&t->state[i]);
		if (found == FREE) {
			*state = FREE;
			return (int32_t)i;
		}
		if (found == READY && (oldest < 0 || now - read_word(&t->used[i]) > now - read_word(&t->used[oldest]))) {
			oldest = (int32_t)i;
			*state = READY;
		}
	}
	return oldest;
}

static bool built_elsewhere(const att_key_tables *t, uint32_t first, uint64_t hash) {
	for (uint32_t i = first; i < first + t->ways; i++) {
		if (read_word(&t->state[i]) == BUILDING && read_word(&t->tag[i]) == tag_of(hash)) {
			return true;
		}
	}
	return false;
}

int32_t att_key_claim(att_key_tables *t, uint64_t hash, uint32_t format, const uint8_t *key, uint32_t key_len) {
	const uint32_t first = first_way(t, hash);
	unsigned state = FREE;
	const int32_t i = victim(t, first, &state);
	if (i < 0 || key_len > ATT_KEY_MAX_BYTES || built_elsewhere(t, first, hash) ||
	    !atomic_compare_exchange_strong_explicit(&t->state[i], &state, BUILDING, memory_order_acquire, memory_order_relaxed)) {
		return -1;
	}
	if (state == READY) {
		atomic_fetch_add_explicit(&t->evictions, 1, memory_order_relaxed);
	}
	atomic_store_explicit(&t->tag[i], tag_of(hash), memory_order_relaxed);
	memcpy(t->slots[i].key, key, key_len);
	t->slots[i].key_len = key_len;
	t->slots[i].format = format;
	atomic_store_explicit(count_of(t, hash), 0, memory_order_relaxed);
	return i;
}

void *att_key_memory(att_key_tables *t, int32_t slot) { return t->slots[slot].table; }

void att_key_publish(att_key_tables *t, int32_t slot, bool good) {
	if (good) {
		atomic_store_explicit(&t->used[slot], atomic_fetch_add_explicit(&t->tick, 1, memory_order_relaxed), memory_order_relaxed);
		atomic_fetch_add_explicit(&t->builds, 1, memory_order_relaxed);
	}
	atomic_store_explicit(&t->state[slot], good ? READY + 1 : FREE, memory_order_release);
}
