//! `kro dev`: graphs on this machine.

mod apply;
mod cluster;
mod display;
mod files;
mod screen;
mod workspace;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use kro_apiserver::Profile;
use kro_engine::Timestamp;
use kro_graph::CompileOptions;
use kro_manager::View;

use self::cluster::Cluster;
use self::display::describe_unready;
use self::files::Files;
use self::screen::Screen;
use self::workspace::Workspace;
use crate::apiserver::Setup;
use crate::check::check;
use crate::cli::DevArguments;
use crate::error::CliError;
use crate::input::Input;
use crate::signal;
use crate::terminal::{BOLD, DIM, ERROR, GREEN, RESET};

/// A refusal that nothing changed for so long is final: a kind may still be about to be served.
const SETTLE: Duration = Duration::from_millis(250);
/// How often durations on display are brought up to date.
const REDRAW: Duration = Duration::from_millis(500);

/// Runs until Ctrl-C, or with `--once` until all is ready.
pub async fn run(arguments: DevArguments) -> Result<ExitCode, CliError> {
    let started = Instant::now();
    // Nothing starts, and nothing is applied, while the input is wrong.
    let input = Input::read(&arguments.files)?;
    if check(&input, &CompileOptions::default()).report(&input) {
        return Ok(ExitCode::FAILURE);
    }
    let files = Files::watch(&arguments.files)?;
    let setup = Setup { profile: Profile::Dev, data: arguments.data.as_deref(), simulate: &arguments.simulate };
    let cluster = Cluster::start(&setup, arguments.port, arguments.write_kubeconfig.as_deref()).await?;
    greet(&cluster, started);
    let session = Session {
        workspace: Workspace::new(input),
        screen: Screen::new(arguments.plain || arguments.once),
        cluster,
        files,
        started,
        arguments,
    };
    session.run().await
}

fn greet(cluster: &Cluster, started: Instant) {
    let ms = started.elapsed().as_millis();
    anstream::println!("{BOLD}kro dev{RESET} is ready after {ms} ms at https://{}", cluster.address());
    anstream::println!("{DIM}for kubectl:{RESET} export KUBECONFIG={}\n", cluster.kubeconfig().display());
}

struct Session {
    arguments: DevArguments,
    cluster: Cluster,
    workspace: Workspace,
    files: Files,
    screen: Screen,
    started: Instant,
}

impl Session {
    async fn run(mut self) -> Result<ExitCode, CliError> {
        let mut views = self.cluster.controller().view();
        let mut redraw = tokio::time::interval(REDRAW);
        let deadline = tokio::time::Instant::now() + self.arguments.timeout;
        let interrupted = signal::wait();
        tokio::pin!(interrupted);
        let mut refused_at: Option<tokio::time::Instant> = None;
        self.workspace.apply(&self.cluster, &mut self.screen);
        let code = loop {
            let view = views.borrow_and_update().clone();
            self.workspace.apply(&self.cluster, &mut self.screen);
            self.screen.show(&view, now());
            if self.arguments.once
                && let Some(code) = self.verdict(&view)
            {
                break code;
            }
            let is_refused = self.arguments.once && self.is_refused(&view);
            refused_at = is_refused.then(|| refused_at.unwrap_or_else(tokio::time::Instant::now));
            let deadline = refused_at.map_or(deadline, |at| deadline.min(at + SETTLE));
            tokio::select! {
                changed = views.changed() => if changed.is_err() { break ExitCode::FAILURE },
                () = self.files.changed(), if !self.arguments.once => self.reload(),
                _ = redraw.tick(), if self.screen.is_live() => {}
                () = tokio::time::sleep_until(deadline), if self.arguments.once => {
                    self.explain(&view, if is_refused { "a graph is refused" } else { "not ready in time" });
                    break ExitCode::FAILURE;
                }
                () = &mut interrupted => break ExitCode::SUCCESS,
            }
        };
        self.cluster.shut_down().await;
        Ok(code)
    }

    /// With `--once`: how it ended, when it has.
    fn verdict(&self, view: &View) -> Option<ExitCode> {
        if let Some(refused) = self.workspace.refused() {
            anstream::eprintln!("{ERROR}error:{RESET} {refused}");
            return Some(ExitCode::FAILURE);
        }
        if self.workspace.is_applied() && view.is_ready() && self.workspace.is_seen_in(view) {
            let seconds = self.started.elapsed().as_secs_f64();
            anstream::println!("{GREEN}all is ready{RESET} after {seconds:.2} s");
            return Some(ExitCode::SUCCESS);
        }
        None
    }

    /// True when a graph is refused and nothing is under way that could change that.
    fn is_refused(&self, view: &View) -> bool {
        let is_over = view.requests_in_flight == 0 && view.next_timer.is_none();
        let is_done = view
            .graphs
            .iter()
            .all(|graph| graph.refused || (graph.ready && graph.instances.iter().all(|instance| instance.ready)));
        is_over && is_done && self.workspace.has_definitions_in(view) && view.graphs.iter().any(|graph| graph.refused)
    }

    fn explain(&self, view: &View, verdict: &str) {
        anstream::eprintln!("{ERROR}error:{RESET} {verdict}");
        for line in self.workspace.describe_waiting().into_iter().chain(describe_unready(view)) {
            anstream::eprintln!("  {line}");
        }
    }

    /// Takes changed files in. While they are wrong, what runs stays as it is.
    fn reload(&mut self) {
        let input = match Input::read(&self.arguments.files) {
            Ok(input) => input,
            Err(error) => {
                self.screen.print(&[format!("{ERROR}error:{RESET} {error}")]);
                return;
            }
        };
        self.screen.print(&[]);
        if !check(&input, &CompileOptions::default()).report(&input) {
            self.workspace.replace(input, &self.cluster);
        }
    }
}

fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
