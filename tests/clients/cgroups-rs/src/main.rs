// SPDX-License-Identifier: MIT
// A life of a cgroup by cgroups-rs, on the version that it finds. Says "ok" in the end.
use cgroups_rs::{cgroup_builder::CgroupBuilder, cpu::CpuController,
                 freezer::{FreezerController, FreezerState}, hierarchies, memory::MemController,
                 pid::PidController, Cgroup, CgroupPid, MaxValue};
use std::process::Command;

fn main() {
    assert!(hierarchies::is_cgroup2_unified_mode());
    let name = std::env::args().nth(1).unwrap();
    let cgroup: Cgroup = CgroupBuilder::new(&name)
        .memory().memory_hard_limit(64 << 20).done()
        .cpu().shares(200).quota(50000).period(100000).done()
        .pid().maximum_number_of_processes(MaxValue::Value(20)).done()
        .build(hierarchies::auto()).unwrap();
    assert!(cgroup.v2() && cgroup.exists());
    let memory: &MemController = cgroup.controller_of().unwrap();
    let cpu: &CpuController = cgroup.controller_of().unwrap();
    let pids: &PidController = cgroup.controller_of().unwrap();
    let freezer: &FreezerController = cgroup.controller_of().unwrap();
    assert_eq!(memory.get_mem().unwrap().max, Some(MaxValue::Value(64 << 20)));
    assert_eq!(cpu.shares().unwrap(), 200);
    assert_eq!((cpu.cfs_quota().unwrap(), cpu.cfs_period().unwrap()), (50000, 100000));
    assert_eq!(pids.get_pid_max().unwrap(), MaxValue::Value(20));

    let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
    let pid = CgroupPid::from(u64::from(busy.id()));
    cgroup.add_task_by_tgid(CgroupPid::from(pid.pid)).unwrap();
    assert_eq!(cgroup.procs()[0].pid, pid.pid);
    assert_eq!(pids.get_pid_current().unwrap(), 1);
    assert!(memory.memory_stat().limit_in_bytes == 64 << 20 && cpu.cpu().stat.contains("usage_usec "));
    freezer.freeze().unwrap();
    while !matches!(freezer.state().unwrap(), FreezerState::Frozen) {}
    freezer.thaw().unwrap();
    memory.set_limit(32 << 20).unwrap();
    assert_eq!(memory.get_mem().unwrap().max, Some(MaxValue::Value(32 << 20)));
    assert!(cgroup.delete().is_err() || !cgroup.procs().is_empty());
    cgroup.kill().unwrap();
    busy.wait().unwrap();
    while !cgroup.procs().is_empty() {}
    cgroup.delete().unwrap();
    assert!(!cgroup.exists());
    println!("ok");
}
