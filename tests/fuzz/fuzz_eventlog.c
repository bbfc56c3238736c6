/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_eventlog.c: target att_log_read. Invariant: a log that is refused says why; one that is not has its records one behind the other,
 * every span inside its record, what was measured inside the data, and registers that att_rtmr_replay comes to as well. */
#include <stdlib.h>
#include <string.h>

#include "attest.h"

static void need(int ok) {
	if (!ok) {
		abort();
	}
}

static void check_event(const att_log_event *e, uint32_t at, uint32_t next) {
	need(e->offset == at && e->mr_index <= 4);
	need(e->digests_offset == at + 12 && e->digests_len <= next - e->digests_offset);
	need(e->data_offset == e->digests_offset + e->digests_len + 4 && e->data_len == next - e->data_offset);
	need(e->sha384_offset == 0 || (e->sha384_offset > e->digests_offset && e->sha384_offset + 48 <= e->data_offset - 4));
	need(e->rule >= ATT_EVENT_NOT_MEASURED && e->rule <= ATT_EVENT_TAGGED_DATA);
	if (e->rule >= ATT_EVENT_WHOLE) {
		need(e->measured_offset >= e->data_offset && e->measured_offset + e->measured_len <= e->data_offset + e->data_len);
	} else {
		need(e->measured_offset == 0 && e->measured_len == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const uint64_t room = size / ATT_LOG_MIN_RECORD + 1;
	att_log_event *events = malloc(room * sizeof *events);
	uint8_t *digests = malloc(room * 48);
	uint8_t *rtmrs = malloc(room);
	if (events == NULL || digests == NULL || rtmrs == NULL) {
		exit(3);
	}
	att_log log;
	att_finding error;
	uint8_t replayed[4][48];
	uint64_t num_extended = 0;
	int64_t num = att_log_read(data, size, &log, events, room, &error);
	need(num < 0 ? error.code > ATT_PASS && error.offset <= size && log.num_events == 0 : error.code == ATT_PASS);
	need(num < 0 || (log.num_events == (uint64_t)num && log.end <= size));
	for (int64_t i = 0; i < num; i++) {
		check_event(&events[i], events[i].offset, i + 1 < num ? events[i + 1].offset : log.end);
		if (events[i].rule != ATT_EVENT_NOT_MEASURED) {
			memcpy(digests + 48 * num_extended, data + events[i].sha384_offset, 48);
			rtmrs[num_extended++] = (uint8_t)(events[i].mr_index - 1);
		}
	}
	need(num < 0 || log.num_extends[0] + log.num_extends[1] + log.num_extends[2] + log.num_extends[3] == num_extended);
	need(att_rtmr_replay(rtmrs, digests, num_extended, replayed[0]) == 0);
	need(num < 0 || memcmp(replayed, log.rtmr, sizeof replayed) == 0);
	att_ccel table;
	if (att_ccel_read(data, size, &table, &error) == 0) {
		need(size == ATT_CCEL_LEN && error.code == ATT_PASS);
	} else {
		need(error.code > ATT_PASS);
	}
	free(events);
	free(digests);
	free(rtmrs);
	return 0;
}
