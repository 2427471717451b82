//! What the system says of processes.

/// The resident memory of processes together.
pub fn resident_mib(pids: &[u32]) -> f64 {
    let of = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default().to_owned();
        line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
    };
    pids.iter().map(of).sum()
}

/// The CPU time that processes have used together, in seconds.
pub fn cpu_seconds(pids: &[u32]) -> f64 {
    /// Linux shows ticks of a hundredth of a second to programs.
    const TICKS: f64 = 100.0;
    let of = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let number = |index: usize| fields.split_whitespace().nth(index).and_then(|text| text.parse::<f64>().ok());
        (number(11).unwrap_or_default() + number(12).unwrap_or_default()) / TICKS
    };
    pids.iter().map(of).sum()
}
