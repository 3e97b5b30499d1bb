//! What differs from one operating system to the next: who may write where, limits of a process,
//! signals, folders of the user.
//!
//! Linux is tested. The other systems are written for and untested; Windows has neither owners nor
//! limits here.

use std::fmt;
use std::path::PathBuf;

#[cfg(not(unix))]
pub(super) use other::*;
#[cfg(not(unix))]
pub use other::{End, Stoppable, ended, kill_group, limit, own_group};
#[cfg(unix)]
pub(super) use unix::*;
#[cfg(unix)]
pub use unix::{End, Stoppable, ended, kill_group, limit, own_group};

/// How much a test run may use beyond what it has when it begins.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: u64,
    /// Seconds of CPU time.
    pub cpu_seconds: u64,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => f.write_str(signal),
        }
    }
}

/// Whether the process runs with more rights than its user has (set-uid, set-gid, capabilities), so
/// that the environment is not to be trusted.
pub fn secure_execution() -> bool {
    elevated()
}

/// The folder for what may be lost, by the customs of the system.
pub(super) fn cache_folder() -> Option<PathBuf> {
    let folder = |variable| std::env::var_os(variable).map(PathBuf::from);
    let absolute = |folder: &PathBuf| folder.is_absolute();
    let home = || folder("HOME").filter(absolute);
    if cfg!(windows) {
        return folder("LOCALAPPDATA").filter(absolute);
    }
    let by_name = folder("XDG_CACHE_HOME").filter(absolute);
    if cfg!(target_vendor = "apple") {
        return by_name.or_else(|| Some(home()?.join("Library").join("Caches")));
    }
    by_name.or_else(|| Some(home()?.join(".cache")))
}

#[cfg(unix)]
mod unix {
    use std::env;
    use std::ffi::OsString;
    use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
    use std::io::{self, Read};
    use std::os::fd::AsFd;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Child, Command};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use auralis_core::{Error, Result};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::process::{
        Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getegid, geteuid, getgid, getrlimit,
        getuid, kill_process_group, setrlimit, waitid,
    };

    use super::super::rejected;
    use super::Limits;

    /// As many links as Linux follows: path_resolution(7).
    const MOST_LINKS: u32 = 40;

    /// Checks that the path, everything above it, and every link on the way belong to root or to the
    /// user, and that nobody else may write there. A folder of root's in which only its owner may
    /// exchange a file (sticky, such as `/tmp`) is fine.
    pub(in super::super) fn only_ours(path: &Path) -> Result<()> {
        check_path(path, MOST_LINKS)
    }

    fn check_path(path: &Path, links: u32) -> Result<()> {
        let mut places: Vec<_> = path.ancestors().collect();
        places.reverse();
        for place in places {
            let metadata = fs::symlink_metadata(place).map_err(|e| {
                rejected("can't tell who may write to the file")
                    .with("path", place.display())
                    .because(e)
            })?;
            check_owner(place, &metadata)?;
            if !metadata.is_symlink() {
                check_mode(place, &metadata)?;
                continue;
            }
            let Some(links) = links.checked_sub(1) else {
                return Err(rejected("the path leads through too many links"));
            };
            let target = fs::read_link(place).map_err(|e| {
                rejected("a link can't be followed")
                    .with("path", place.display())
                    .because(e)
            })?;
            let above = place.parent().unwrap_or(Path::new("/"));
            check_path(&above.join(target), links)?;
        }
        Ok(())
    }

    fn check_owner(place: &Path, metadata: &Metadata) -> Result<()> {
        let owner = metadata.uid();
        if owner == 0 || owner == geteuid().as_raw() {
            return Ok(());
        }
        let message = format!("{} belongs to another user", what(metadata));
        Err(about(message, place).with("user", owner))
    }

    fn check_mode(place: &Path, metadata: &Metadata) -> Result<()> {
        const GROUP_WRITES: u32 = 0o020;
        const OTHERS_WRITE: u32 = 0o002;
        const STICKY: u32 = 0o1000;

        let mode = metadata.mode();
        // A group of the same number as the user holds nobody else, by custom.
        let own_group =
            metadata.gid() == getegid().as_raw() && getegid().as_raw() == geteuid().as_raw();
        let foreign = match own_group {
            true => OTHERS_WRITE,
            false => OTHERS_WRITE | GROUP_WRITES,
        };
        let kept = metadata.is_dir() && mode & STICKY != 0 && metadata.uid() == 0;
        if mode & foreign == 0 || kept {
            return Ok(());
        }
        let message = format!("others may write to {}", what(metadata));
        Err(about(message, place).with("mode", format_args!("{:o}", mode & 0o7777)))
    }

    fn what(metadata: &Metadata) -> &'static str {
        if metadata.is_dir() {
            "a folder above the plugin"
        } else if metadata.is_symlink() {
            "a link that leads to the plugin"
        } else {
            "the plugin's file"
        }
    }

    fn about(message: String, place: &Path) -> Error {
        rejected(message).with("path", place.display())
    }

    pub(in super::super) fn create_private_folder(folder: &Path) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        if fs::metadata(folder)?.mode() & 0o077 != 0 {
            fs::set_permissions(folder, PermissionsExt::from_mode(0o700))?;
        }
        Ok(())
    }

    pub(in super::super) fn create_private_file(path: &Path) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    pub(super) fn elevated() -> bool {
        getuid() != geteuid() || getgid() != getegid() || secure_by_kernel()
    }

    /// AT_SECURE of the auxiliary vector, getauxval(3): set for capabilities too.
    fn secure_by_kernel() -> bool {
        const AT_SECURE: usize = 23;
        const WORD: usize = size_of::<usize>();

        if !cfg!(target_os = "linux") {
            return false;
        }
        // A process that is to be protected from its user can't read its own.
        let Ok(vector) = fs::read("/proc/self/auxv") else {
            return Path::new("/proc/self").exists();
        };
        let words = vector.chunks_exact(WORD);
        let words = words.map(|w| w.try_into().map_or(0, usize::from_ne_bytes));
        let words: Vec<usize> = words.collect();
        words
            .chunks_exact(2)
            .any(|pair| pair[0] == AT_SECURE && pair[1] != 0)
    }

    /// Puts limits on this process. On Linux it also ends when the thread that started it does.
    ///
    /// # Errors
    ///
    /// What the system answers, or that the process that started this one is gone.
    pub fn limit(limits: Limits) -> io::Result<()> {
        end_with_parent()?;
        lower(Resource::Core, 0, 0)?;
        // What the first signal does not end, the second one does.
        lower(Resource::Cpu, limits.cpu_seconds, 2)?;
        let used = address_space(std::process::id()).unwrap_or(0);
        lower(Resource::As, used.saturating_add(limits.memory), 0)
    }

    fn lower(resource: Resource, limit: u64, grace: u64) -> io::Result<()> {
        let Rlimit { current, maximum } = getrlimit(resource);
        let least = |limit: u64, than: [Option<u64>; 2]| {
            than.into_iter()
                .flatten()
                .min()
                .map_or(limit, |t| limit.min(t))
        };
        setrlimit(
            resource,
            Rlimit {
                current: Some(least(limit, [current, maximum])),
                maximum: Some(least(limit.saturating_add(grace), [maximum, None])),
            },
        )?;
        Ok(())
    }

    #[cfg(target_os = "linux")]
    fn end_with_parent() -> io::Result<()> {
        let parent = rustix::process::getppid();
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if rustix::process::getppid() == parent {
            return Ok(());
        }
        Err(io::Error::other(
            "the process that started this one is gone",
        ))
    }

    #[cfg(not(target_os = "linux"))]
    fn end_with_parent() -> io::Result<()> {
        Ok(())
    }

    /// Whether this process was started by that one, which still lives.
    pub(in super::super) fn is_child_of(process: u32) -> bool {
        std::os::unix::process::parent_id() == process
    }

    /// The bytes of address space of a process: proc_pid_statm(5).
    fn address_space(process: u32) -> Option<u64> {
        let statm = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
        let pages: u64 = statm.split_whitespace().next()?.parse().ok()?;
        Some(pages * rustix::param::page_size() as u64)
    }

    /// The limit of a process's address space: proc_pid_limits(5).
    fn address_limit(process: u32) -> Option<u64> {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
        let line = limits
            .lines()
            .find_map(|l| l.strip_prefix("Max address space"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Whether a process has next to nothing left of the memory that it may use.
    pub(in super::super) fn is_out_of_memory(process: u32, memory: u64) -> bool {
        let left = |limit: u64| Some(limit.saturating_sub(address_space(process)?));
        address_limit(process)
            .and_then(left)
            .is_some_and(|left| left < memory / 8)
    }

    /// Makes the process the first of a group of its own, which ends with it.
    pub fn own_group(command: &mut Command) -> &mut Command {
        command.process_group(0)
    }

    /// Has the C library of a program that is to be started fill every new block of the heap, and look
    /// for writes past the ends of blocks: mallopt(3), `MALLOC_PERTURB_` and `MALLOC_CHECK_` of glibc.
    /// Where they are not known, the heap is as it always is.
    pub(in super::super) fn watch_heap(command: &mut Command, fill: u8) {
        const WATCHER: &str = "libc_malloc_debug.so.0";
        const PRELOAD: &str = "LD_PRELOAD";
        let preloaded = match env::var_os(PRELOAD) {
            Some(others) if !others.is_empty() => {
                let mut all = OsString::from(WATCHER);
                all.push(" ");
                all.push(others);
                all
            }
            _ => WATCHER.into(),
        };
        command
            .env(PRELOAD, preloaded)
            .env("MALLOC_CHECK_", "3")
            .env("MALLOC_PERTURB_", fill.to_string());
    }

    /// Ends a process and all of its group.
    pub fn kill_group(child: &mut Child) {
        if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
            // There is no group if it has not begun or has ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// How a process ended, if it has. It stays a zombie, so that its number is nobody else's.
    ///
    /// # Errors
    ///
    /// Nobody knows any more: somebody else in this process has waited for it, or the signal SIGCHLD is
    /// ignored.
    pub fn ended(child: &mut Child) -> io::Result<Option<End>> {
        let Some(process) = Pid::from_raw(child.id().cast_signed()) else {
            return Ok(None);
        };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = match waitid(WaitId::Pid(process), options) {
            Ok(Some(status)) => status,
            Ok(None) | Err(Errno::INTR) => return Ok(None),
            Err(Errno::CHILD) => {
                let message = "another part of this program waits for its children";
                return Err(io::Error::other(message));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(match (status.terminating_signal(), status.exit_status()) {
            (Some(signal), _) => Some(End::Signal(name(signal))),
            (_, Some(status)) => Some(End::Status(status)),
            _ => None,
        })
    }

    /// A pipe that ends when it does, or when a flag is set: whoever holds its other end then keeps
    /// nobody waiting.
    #[derive(Debug)]
    pub struct Stoppable<R> {
        pipe: R,
        stop: Arc<AtomicBool>,
    }

    impl<R: Read + AsFd> Stoppable<R> {
        /// This pipe, until the flag is set.
        pub fn new(pipe: R, stop: Arc<AtomicBool>) -> Self {
            Self { pipe, stop }
        }
    }

    impl<R: Read + AsFd> Read for Stoppable<R> {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            const TICK: Timespec = Timespec {
                tv_sec: 0,
                tv_nsec: 50_000_000,
            };
            while !self.stop.load(Ordering::Relaxed) {
                let ready = poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], Some(&TICK));
                match ready {
                    Ok(0) | Err(Errno::INTR) => {}
                    Ok(_) => return self.pipe.read(bytes),
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(0)
        }
    }

    /// How a process ended.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum End {
        /// By itself, with this status.
        Status(i32),
        /// By a signal of this name, such as `SIGSEGV`.
        Signal(String),
    }

    fn name(number: i32) -> String {
        let names = [
            (Signal::ABORT, "SIGABRT"),
            (Signal::BUS, "SIGBUS"),
            (Signal::FPE, "SIGFPE"),
            (Signal::ILL, "SIGILL"),
            (Signal::KILL, "SIGKILL"),
            (Signal::PIPE, "SIGPIPE"),
            (Signal::SEGV, "SIGSEGV"),
            (Signal::SYS, "SIGSYS"),
            (Signal::TERM, "SIGTERM"),
            (Signal::TRAP, "SIGTRAP"),
            (Signal::XCPU, "SIGXCPU"),
        ];
        let known = names.iter().find(|(signal, _)| signal.as_raw() == number);
        known.map_or_else(|| format!("signal {number}"), |(_, name)| (*name).into())
    }
}

#[cfg(not(unix))]
mod other {
    use std::fs::{self, File};
    use std::io::{self, Read};
    use std::path::Path;
    use std::process::{Child, Command};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use auralis_core::Result;

    use super::Limits;

    pub(in super::super) fn only_ours(_: &Path) -> Result<()> {
        Ok(())
    }

    pub(in super::super) fn create_private_folder(folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    pub(in super::super) fn create_private_file(path: &Path) -> io::Result<File> {
        File::create_new(path)
    }

    pub(super) fn elevated() -> bool {
        false
    }

    /// Puts no limits on this process: there are none here.
    ///
    /// # Errors
    ///
    /// None.
    pub fn limit(_: Limits) -> io::Result<()> {
        Ok(())
    }

    pub(in super::super) fn is_out_of_memory(_: u32, _: u64) -> bool {
        false
    }

    /// There is no such heap here.
    pub(in super::super) fn watch_heap(_: &mut Command, _: u8) {}

    /// There are no groups here.
    pub fn own_group(command: &mut Command) -> &mut Command {
        command
    }

    /// Ends a process.
    pub fn kill_group(child: &mut Child) {
        // It may have ended.
        let _ = child.kill();
    }

    pub(in super::super) fn is_child_of(_: u32) -> bool {
        true
    }

    /// How a process ended, if it has.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub fn ended(child: &mut Child) -> io::Result<Option<End>> {
        let status = child.try_wait()?;
        Ok(status.map(|status| End::Status(status.code().unwrap_or(-1))))
    }

    /// A pipe that ends when it does.
    #[derive(Debug)]
    pub struct Stoppable<R>(R);

    impl<R: Read> Stoppable<R> {
        /// This pipe; the flag is not looked at here.
        pub fn new(pipe: R, _: Arc<AtomicBool>) -> Self {
            Self(pipe)
        }
    }

    impl<R: Read> Read for Stoppable<R> {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.0.read(bytes)
        }
    }

    /// How a process ended.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum End {
        /// By itself, with this status.
        Status(i32),
        /// By a signal of this name.
        #[allow(dead_code, reason = "there are no signals")]
        Signal(String),
    }
}
