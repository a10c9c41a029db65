# SPDX-License-Identifier: MIT
# The command comes after the options. These have a word of their own. (The first of them has one dash, or
# fish would take it for its own.)
complete -c fuse_cgroup_run -x -a '(__fish_complete_subcommand -m -c --root --at --backend --memory \
	--memory-swap --memory-reservation --memory-swappiness --cpus --cpu-quota --cpu-period --cpu-shares \
	--cpuset-cpus --cpuset-mems --blkio-weight --pids-limit --cgroup-parent)'
complete -c fuse_cgroup_run -l root -x -a '(__fish_complete_directories)' \
	-d 'show the fuse_cgroupfs that is mounted there'
complete -c fuse_cgroup_run -l at -x -a '(__fish_complete_directories)' -d 'put the tree there'
complete -c fuse_cgroup_run -l v1 -d 'cgroup v1'
complete -c fuse_cgroup_run -l v2 -d 'cgroup v2'
complete -c fuse_cgroup_run -l redirect -d 'mount nothing, lead paths'
complete -c fuse_cgroup_run -l trace -d 'tell each caught system call'
complete -c fuse_cgroup_run -l backend -x -a 'notify trace' -d 'how calls are caught'
complete -c fuse_cgroup_run -s m -l memory -x -d 'memory'
complete -c fuse_cgroup_run -l memory-swap -x -d 'memory and swap'
complete -c fuse_cgroup_run -l memory-reservation -x -d 'memory when it is short'
complete -c fuse_cgroup_run -l memory-swappiness -x -d '0 to 100'
complete -c fuse_cgroup_run -l cpus -x -d 'processors'
complete -c fuse_cgroup_run -l cpu-quota -x -d 'processor time in each period, us'
complete -c fuse_cgroup_run -l cpu-period -x -d 'period of the quota, us'
complete -c fuse_cgroup_run -s c -l cpu-shares -x -d 'relative weight'
complete -c fuse_cgroup_run -l cpuset-cpus -x -d 'processors'
complete -c fuse_cgroup_run -l cpuset-mems -x -d 'memory nodes'
complete -c fuse_cgroup_run -l blkio-weight -x -d '10 to 1000'
complete -c fuse_cgroup_run -l pids-limit -x -d 'processes and threads'
complete -c fuse_cgroup_run -l cgroup-parent -x -d 'where its cgroup is made'
complete -c fuse_cgroup_run -s h -l help -d 'show the options'
complete -c fuse_cgroup_run -s V -l version -d 'show the version'
