//! How much memory the fleet index may take.

use std::{fs, path::Path};

/// At most this, unless a setting says otherwise: some 20 million devices.
const MAX_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// If the machine does not report its memory.
const UNKNOWN_BYTES: usize = 256 * 1024 * 1024;

/// The default: a quarter of the memory that this process may have, and at most [`MAX_BYTES`].
pub(crate) fn default_bytes() -> usize {
    let of_machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of(&text));
    let of_group = fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| limit_of_group(&text));
    [of_machine, of_group].into_iter().flatten().min().map_or(UNKNOWN_BYTES, |bytes| (bytes / 4).min(MAX_BYTES))
}

/// `MemTotal` of `/proc/meminfo`, which is in KiB.
fn total_of(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

/// The limit of a container: `memory.max` of its control group (version 2). `max`, where there is none.
fn limit_of_group(groups: &str) -> Option<usize> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let file = Path::new("/sys/fs/cgroup").join(path).join("memory.max");
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_is_read_in_bytes() {
        assert_eq!(total_of("MemFree: 1 kB\nMemTotal:       16384 kB\n"), Some(16 * 1024 * 1024));
        assert_eq!(total_of("MemTotal: much kB\n"), None);
        assert_eq!(total_of(""), None);
    }

    #[test]
    fn default_is_within_its_bounds() {
        assert!((1..=MAX_BYTES).contains(&default_bytes()));
    }
}
