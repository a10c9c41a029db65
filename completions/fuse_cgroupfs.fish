# SPDX-License-Identifier: MIT
complete -c fuse_cgroupfs -x -a '(__fish_complete_directories)'
complete -c fuse_cgroupfs -s f -d 'stay in the foreground'
complete -c fuse_cgroupfs -s d -d 'stay in the foreground and tell all that happens'
complete -c fuse_cgroupfs -s s -d 'one thread only'
complete -c fuse_cgroupfs -s o -x -d 'mount options' -a 'controllers= with= accounting=auto
	accounting=events accounting=scan state= native=auto log= v2 view=host view=container freeze=stop
	freeze=none sendfile no_io_uring debug'
complete -c fuse_cgroupfs -l check -d 'tell what this machine has and lacks'
complete -c fuse_cgroupfs -s h -l help -d 'show the options'
complete -c fuse_cgroupfs -s V -l version -d 'show the version'
