/* SPDX-License-Identifier: MIT */
#ifndef ADVICE_H
#define ADVICE_H

/*
 * What to do about an errno that tells of a limit that has been reached, as the end of a line that says what
 * cannot be done: ": raise the limit of ..."; "" for any other. Constant text.
 */
const char *advice_on(int error);

#endif
