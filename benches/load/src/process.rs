//! Processes: the controller under test, and what it and the server use.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::Failure;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// User and system time.
    pub cpu_ms: f64,
    /// Resident memory.
    pub rss_kb: f64,
}

/// Reads `/proc`; all zero for a process that is gone.
pub fn usage(pid: u32) -> Usage {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let stat = read("stat");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    let status = read("status");
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let rss = rss.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    // utime and stime are the 14th and 15th field; a tick is 10 ms.
    Usage { cpu_ms: (ticks(11) + ticks(12)) * 10.0, rss_kb: rss }
}

/// How to start the controller.
#[derive(Debug, Clone)]
pub struct Program {
    pub kro: PathBuf,
    pub kubeconfig: PathBuf,
    pub log: PathBuf,
}

/// A running `kro controller`; it dies with this value.
pub struct Controller {
    child: Child,
}

impl Program {
    pub fn start(&self) -> Result<Controller, Failure> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let child = Command::new(&self.kro)
            .args([Path::new("controller"), Path::new("--install-crds"), Path::new("--kubeconfig"), &self.kubeconfig])
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Controller { child })
    }
}

impl Controller {
    /// True until the process has ended by itself, such as one that found its port taken.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub fn usage(&self) -> Usage {
        self.child.id().map(usage).unwrap_or_default()
    }

    pub async fn stop(mut self) -> Result<(), Failure> {
        self.child.kill().await?;
        Ok(())
    }

    /// Until it has used (nearly) no CPU for a while.
    pub async fn settle(&self) {
        let mut before = f64::NAN;
        loop {
            let now = self.usage().cpu_ms;
            if now <= before {
                return;
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    }
}
