//! CPU time of single threads, and which core they may run on.
//!
//! Not here: what they do.

use nix::sched::CpuSet;
use nix::sched::sched_setaffinity;
use nix::unistd::Pid;

/// The core of what is measured.
pub(crate) const MEDIA: usize = 0;
/// The core of everything else.
pub(crate) const PHONES: usize = 1;

/// The calling thread.
pub(crate) fn own() -> i32 {
    nix::unistd::gettid().as_raw()
}

/// The thread of this name; a name is given a moment after the thread has begun.
pub(crate) fn thread(name: &str) -> i32 {
    crate::wait::until(name, crate::PATIENCE, || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let mut ids = tasks.map(|task| task.unwrap().file_name().into_string().unwrap());
        let is_named = |id: &String| {
            let comm = std::fs::read_to_string(format!("/proc/self/task/{id}/comm"));
            comm.is_ok_and(|comm| comm.trim() == name)
        };
        ids.find(is_named).map(|id| id.parse().unwrap())
    })
}

/// Keeps a thread on one core, if the machine has it.
pub(crate) fn pin(thread: i32, core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core).unwrap();
    // With a single core there is nothing to choose.
    let _ = sched_setaffinity(Pid::from_raw(thread), &cores);
}

/// Seconds of CPU time a thread has used, in user's and kernel's name.
pub(crate) fn used(thread: i32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).unwrap();
    let nanos: f64 = text.split(' ').next().unwrap().parse().unwrap();
    nanos / 1e9
}
