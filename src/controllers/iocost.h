/* SPDX-License-Identifier: MIT */
#ifndef IOCOST_H
#define IOCOST_H

#include "bytes.h"
#include "controller.h"

struct blkg;

/*
 * io.cost.qos and io.cost.model, which a root has. What is written is kept for the disk and shown as
 * block/blk-iocost.c does (ioc_qos_write, ioc_cost_model_write); it weighs nobody's I/O.
 */
int iocost_qos_show(const struct request *request, struct text *out);
int iocost_model_show(const struct request *request, struct text *out);
int iocost_qos_act(const struct request *request, char *text);
int iocost_model_act(const struct request *request, char *text);

/* A disk's, for -o state. Under the tree lock. 0, -EINVAL, -ENOMEM. */
void iocost_save(const struct blkg *blkg, struct text *out);
int iocost_restore(struct blkg *blkg, struct bytes *in);

#endif
