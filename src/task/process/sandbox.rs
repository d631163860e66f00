//! What a script may touch of this machine: its interpreter, its environment and its own folder, by Landlock where the
//! kernel has it (Linux 5.13, and for signals 6.12).

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    Scope, path_beneath_rules,
};

use crate::error::{Error, Result};

/// What is asked of the kernel; what an older one doesn't know is left out.
const WANTED: ABI = ABI::V6;
/// What programs need to start and to find hosts, and what says nothing of anybody: no settings of other programs, and
/// of `/proc` no other process.
const OF_THE_SYSTEM: [&str; 27] = [
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/pki",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/passwd",
    "/etc/group",
    "/etc/mime.types",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
];
/// Its own process, as it sees it when it enters.
const OWN_PROCESS: &str = "/proc/self";

/// Whether this kernel holds scripts to anything.
pub fn is_enforced() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok()
}

/// Holds this thread, and whatever it becomes or starts, to reading `readable` and what every program needs, and to
/// writing below `writable`. Nothing outside can be signalled.
///
/// # Errors
/// Unavailable where the kernel refuses; not where it knows nothing of it.
pub(super) fn enter(readable: &[PathBuf], writable: &[PathBuf]) -> Result<()> {
    let restrict = || -> Result<(), RulesetError> {
        let system = OF_THE_SYSTEM.iter().chain(&[OWN_PROCESS]).map(PathBuf::from);
        Ruleset::default()
            .handle_access(AccessFs::from_all(WANTED))?
            .scope(Scope::from_all(WANTED))?
            .create()?
            .add_rules(path_beneath_rules(system, AccessFs::from_read(WANTED)))?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(WANTED)))?
            .add_rules(path_beneath_rules(writable, AccessFs::from_all(WANTED)))?
            .add_rules(path_beneath_rules(["/dev/null"], AccessFs::from_all(WANTED)))?
            .restrict_self()?;
        Ok(())
    };
    restrict().map_err(|cause| Error::unavailable("the script can't be shut in").source(cause))
}
