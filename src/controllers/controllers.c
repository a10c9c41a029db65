/* SPDX-License-Identifier: MIT */
/* The lists of controllers: nobody else names them. */
#include "controller.h"

const struct controller *const controllers[] = {
	&blkio_controller,
	&cpu_controller,
	&cpuacct_controller,
	&cpuset_controller,
	&devices_controller,
	&freezer_controller,
	&hugetlb_controller,
	&memory_controller,
	&net_cls_controller,
	&net_prio_controller,
	&perf_event_controller,
	&pids_controller,
	&systemd_controller,
	NULL,
};

const struct controller *const dfl_controllers[] = {
	&cpuset_controller,
	&cpu_controller,
	&blkio_controller,
	&memory_controller,
	&perf_event_controller,
	&hugetlb_controller,
	&pids_controller,
	&rdma_controller,
	&misc_controller,
	&dmem_controller,
	&cpuacct_controller, /* cpu.stat; unlisted ones come last */
	&pressure_controller,
	&freezer_controller, /* cgroup.freeze, cgroup.events */
	&kill_controller,
	NULL,
};
