//! Noticing that files have changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::error::CliError;
use crate::input::is_manifest;

/// Editors write a file in several steps; what comes within this time is one change.
const SETTLE: Duration = Duration::from_millis(100);

/// Watches the files and folders that were named.
pub struct Files {
    changes: UnboundedReceiver<()>,
    // Ends watching when dropped.
    _watcher: Option<RecommendedWatcher>,
}

impl Files {
    /// Watches these; standard input never changes.
    pub fn watch(paths: &[PathBuf]) -> Result<Self, CliError> {
        let (sender, changes) = unbounded_channel();
        let paths: Vec<PathBuf> = paths.iter().filter(|path| path.as_os_str() != "-").cloned().collect();
        if paths.is_empty() {
            return Ok(Self { changes, _watcher: None });
        }
        let wanted = paths.iter().filter_map(|path| path.canonicalize().ok()).collect::<BTreeSet<_>>();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| concerns(&event, &wanted)) {
                let _ = sender.send(());
            }
        })?;
        for folder in paths.iter().map(|path| folder_of(path)).collect::<BTreeSet<_>>() {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self { changes, _watcher: Some(watcher) })
    }

    /// Waits for a change, and until the change is complete.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(SETTLE).await;
            if self.changes.try_recv().is_err() {
                return;
            }
            while self.changes.try_recv().is_ok() {}
        }
    }
}

/// A file is watched through its folder: editors replace files, and a watch of the file itself would end with it.
fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// True for a change of a file that was named, or of a manifest in a folder that was.
fn concerns(event: &notify::Event, wanted: &BTreeSet<PathBuf>) -> bool {
    let changes = matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_));
    changes
        && event.paths.iter().any(|path| {
            let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
            let full = folder.as_ref().and_then(|folder| Some(folder.join(path.file_name()?)));
            full.is_some_and(|full| wanted.contains(&full))
                || is_manifest(path) && folder.is_some_and(|folder| wanted.contains(&folder))
        })
}
