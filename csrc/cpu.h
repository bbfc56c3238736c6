/* SPDX-License-Identifier: Apache-2.0
 *
 * cpu.h: what this CPU and its operating system can run: the one place that asks. */
#ifndef ATT_CPU_H
#define ATT_CPU_H

#include <stdbool.h>

/* Looks, and fills what att_cpu_features shows; called by att_init, before any engine is asked whether it is usable. */
void att_cpu_init(void);

/* Whether a feature is in that list, by its name there. */
bool att_cpu_has(const char *name);

#endif
