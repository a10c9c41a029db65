/* SPDX-License-Identifier: MIT */
/*
 * A plugin of the Container Network Interface: the command is in the environment, the configuration
 * on standard input.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "descriptors.h"
#include "result.h"
#include "text.h"
#include "version.h"

#define INPUT_MAX (4 << 20) /* bytes of a configuration; what is longer is none */

static const struct {
	const char *name;
	unsigned needs; /* enum need */
	enum cni_version since;
	int (*run)(const struct config *config, const struct environment *environment,
		   struct failure *failure);
} commands[] = {
	{"ADD", NEED_CONTAINER | NEED_NAMESPACE, CNI_0_3_1, command_add},
	{"DEL", NEED_CONTAINER, CNI_0_3_1, command_del},
	{"CHECK", NEED_CONTAINER | NEED_NAMESPACE, CNI_0_4_0, command_check},
	{"GC", 0, CNI_1_1_0, command_gc},
	{"STATUS", 0, CNI_1_1_0, command_status},
};

static const char usage[] =
	"Usage: CNI_COMMAND=ADD|DEL|CHECK|GC|STATUS|VERSION fuse_cgroup_cni <CONFIGURATION\n"
	"A network plugin (CNI 0.3.1 to 1.1.0) for nodes without netfilter and bridges. A\n"
	"container runtime runs it; fuse_cgroup_cni(8) tells what to write in its\n"
	"configuration.\n"
	"\n"
	"  -h, --help     show this text\n"
	"  -V, --version  show the version\n";

static int read_input(struct text *input, struct failure *failure)
{
	char buffer[4096];
	ssize_t got;

	while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) && (got > 0 || errno == EINTR)) {
		if (got > 0)
			text_add_bytes(input, buffer, got);
		if (input->len > INPUT_MAX || input->error)
			return failure_set(failure, FAILURE_IO, NULL,
					   "the network configuration is too long");
	}
	if (got < 0)
		return failure_set(failure, FAILURE_IO, strerror(errno),
				   "cannot read the network configuration");
	return 0;
}

/* VERSION answers in whatever version it is asked, and needs no configuration. */
static int answer_version(const struct text *input, struct failure *failure)
{
	json_t *asked = json_loadb(input->data ? input->data : "", input->len, 0, NULL);
	const char *version = json_string_value(json_object_get(asked, "cniVersion"));
	json_t *names = json_array(), *answer;
	int error;

	for (unsigned i = 0; i < CNI_VERSION_NR; i++)
		json_array_append_new(names, json_string(cni_version_names[i]));
	answer = json_pack("{s:s, s:o}", "cniVersion", version ? version : CNI_NEWEST, "supportedVersions",
			   names);
	error = result_write(answer, failure);
	json_decref(answer);
	json_decref(asked);
	return error;
}

static int run(const char *name, const struct text *input, const char **version, struct failure *failure)
{
	struct environment environment;
	static struct config config;
	unsigned i = 0;
	int error;

	while (i < sizeof(commands) / sizeof(*commands) && strcmp(commands[i].name, name) != 0)
		i++;
	if (i == sizeof(commands) / sizeof(*commands))
		return failure_set(failure, FAILURE_ENVIRONMENT, NULL, "CNI_COMMAND is unknown: %.32s", name);
	error = config_read(input->data ? input->data : "", input->len, &config, failure);
	*version = cni_version_names[config.version];
	if (!error && config.version < commands[i].since)
		error = failure_set(failure, FAILURE_VERSION, NULL,
				    "CNI %s has no %s: it is there from %s on", *version, name,
				    cni_version_names[commands[i].since]);
	if (!error)
		error = environment_read(&environment, commands[i].needs, failure);
	if (!error)
		error = commands[i].run(&config, &environment, failure);
	config_free(&config);
	return error;
}

static int answer_options(const char *option)
{
	if (!strcmp(option, "--version") || !strcmp(option, "-V"))
		return printf("fuse_cgroup_cni %s\n", FUSE_CGROUPFS_VERSION) < 0;
	if (!strcmp(option, "--help") || !strcmp(option, "-h"))
		return fputs(usage, stdout) < 0;
	fprintf(stderr, "fuse_cgroup_cni: there is no option %s; --help shows the options\n", option);
	return 2;
}

int main(int argc, char **argv)
{
	const char *command = getenv("CNI_COMMAND"), *version = CNI_NEWEST;
	struct failure failure = {0};
	struct text input = {0};
	int error;

	if (argc > 1)
		return answer_options(argv[1]);
	descriptors_fill();
	if (!command || !*command) {
		fputs(usage, stderr);
		error = failure_set(&failure, FAILURE_ENVIRONMENT, NULL, "CNI_COMMAND is missing");
	} else {
		error = read_input(&input, &failure);
		if (!error)
			error = strcmp(command, "VERSION") ? run(command, &input, &version, &failure) :
							     answer_version(&input, &failure);
	}
	text_free(&input);
	if (!error)
		return 0;
	result_write_failure(&failure, version);
	return 1;
}
