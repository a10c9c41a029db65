/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink.h"
#include "write_file.h"

static bool are_same(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

struct visit {
	int namespace;
	int socket; /* -1 with `error` */
	int error;
};

/* A thread of its own goes there, as we might not come back: our namespace can be another user's. */
static void *go_inside(void *context)
{
	struct visit *visit = context;

	visit->socket = setns(visit->namespace, CLONE_NEWNET) ? -1 : netlink_open();
	visit->error = errno;
	return NULL;
}

/* A netlink socket in that namespace. -1 with errno. */
static int open_inside(int namespace)
{
	struct visit visit = {.namespace = namespace, .socket = -1};
	pthread_t thread;
	int error = pthread_create(&thread, NULL, go_inside, &visit);

	if (!error) {
		pthread_join(thread, NULL);
		error = visit.error;
	}
	errno = error;
	return visit.socket;
}

static int open_container(struct node *node, const char *path, int own, bool may_be_gone,
			  struct failure *failure)
{
	node->namespace = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (node->namespace < 0 && may_be_gone && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (node->namespace < 0)
		return failure_set(failure, errno == ENOENT ? FAILURE_CONTAINER : FAILURE_NETWORK,
				   strerror(errno), "cannot open the network namespace %.100s", path);
	if (are_same(node->namespace, own))
		return failure_set(failure, FAILURE_ENVIRONMENT, NULL,
				   "CNI_NETNS is the network namespace that the plugin itself is in");
	node->inside = open_inside(node->namespace);
	/* EINVAL: it is a file where a namespace was mounted. */
	if (node->inside >= 0 || (may_be_gone && errno == EINVAL))
		return 0;
	return failure_set(failure, errno == EINVAL ? FAILURE_CONTAINER : FAILURE_NETWORK, strerror(errno),
			   "cannot enter the network namespace %.100s", path);
}

int node_open(struct node *node, const char *path, bool may_be_gone, struct failure *failure)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	*node = (struct node){-1, -1, netlink_open()};
	if (own < 0 || node->outside < 0)
		failure_set(failure, FAILURE_NETWORK, strerror(errno),
			    "cannot open the node's network namespace");
	else if (path)
		open_container(node, path, own, may_be_gone, failure);
	if (own >= 0)
		close(own);
	if (!failure->code)
		return 0;
	node_close(node);
	return -1;
}

void node_close(struct node *node)
{
	int *all[] = {&node->namespace, &node->inside, &node->outside};

	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

int node_forward(int family)
{
	const char *path = family == AF_INET ? "/proc/sys/net/ipv4/ip_forward" :
					       "/proc/sys/net/ipv6/conf/all/forwarding";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char now = '0';

	if (fd < 0)
		return -errno;
	if (read(fd, &now, 1) != 1)
		now = '0';
	close(fd);
	if (now != '0')
		return 0;
	return write_file(AT_FDCWD, path, "1");
}
