/* SPDX-License-Identifier: MIT */
/* What export.c and import.c have in common: how figures are told. */
#ifndef ACCOUNTING_FIGURES_H
#define ACCOUNTING_FIGURES_H

#include "bytes.h"
#include "questions.h"

/* A structure that is nothing but 64-bit figures. */
#define PUT_FIGURES(out, structure) \
	put_figures((out), (const uint64_t *)(const void *)&(structure), \
		    sizeof(structure) / sizeof(uint64_t))
#define GET_FIGURES(in, structure) \
	get_figures((in), (uint64_t *)(void *)&(structure), sizeof(structure) / sizeof(uint64_t))

enum process_flag { PROCESS_MEASURED = 1, PROCESS_MEASURED_IO = 2, PROCESS_COMPLETE = 4 };
enum task_flag { TASK_FLAG_ZOMBIE = 1, TASK_FLAG_MEASURED = 2 };

void put_figures(struct text *out, const uint64_t *figures, size_t count);
void get_figures(struct bytes *in, uint64_t *figures, size_t count);

#endif
