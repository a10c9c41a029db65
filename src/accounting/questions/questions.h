/* SPDX-License-Identifier: MIT */
/* What controllers ask: accounting.h is this room's door, and nothing below knows it. */
#ifndef ACCOUNTING_QUESTIONS_H
#define ACCOUNTING_QUESTIONS_H

#include "../sources/sources.h"

#endif
