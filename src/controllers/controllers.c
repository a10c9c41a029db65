/* The one list of controllers, in the order of the top directory's names. */
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
