/* SPDX-License-Identifier: MIT */
/*
 * libfuse's hello example with one difference: its file is opened with
 * direct_io, so that each read is a request to the daemon, as it must be for a
 * value that changes (the example's own reads come from the page cache). With
 * -DFLUSH it also has a flush handler, as most filesystems do, so that each
 * close is a request too. HELLO_C is the example as Debian installs it.
 */
#define main hello_main
#include HELLO_C
#undef main

static int open_direct(const char *path, struct fuse_file_info *fi)
{
	fi->direct_io = 1;
	return hello_open(path, fi);
}

#ifdef FLUSH
static int flush_nothing(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	return 0;
}
#endif

int main(int argc, char **argv)
{
	struct fuse_operations operations = hello_oper;

	(void)hello_main; /* its operations are constant */
	options.filename = "hello";
	options.contents = "Hello World!\n";
	operations.open = open_direct;
#ifdef FLUSH
	operations.flush = flush_nothing;
#endif
	return fuse_main(argc, argv, &operations, NULL);
}
