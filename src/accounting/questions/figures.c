/* SPDX-License-Identifier: MIT */
/* Structures of nothing but 64-bit figures, as bytes. */
#include "figures.h"

void put_figures(struct text *out, const uint64_t *figures, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes_put_u64(out, figures[i]);
}

void get_figures(struct bytes *in, uint64_t *figures, size_t count)
{
	for (size_t i = 0; i < count; i++)
		figures[i] = bytes_get_u64(in);
}
