/* SPDX-License-Identifier: MIT */
/* The threads of machine_patient.h, for the machine that has them. */
#ifndef MACHINE_PATIENT_INTERNAL_H
#define MACHINE_PATIENT_INTERNAL_H

#include <stdbool.h>

struct machine;
struct patient;

/* No thread runs before the first question. NULL: no memory. */
struct patient *patient_new(const struct machine *machine);

/*
 * Ends the threads and frees it; nobody asks any more. False: some are lost, and may come back to all
 * that they use, the machine too: it must stay until the process ends, which they do not hinder.
 */
bool patient_free(struct patient *patient);

#endif
