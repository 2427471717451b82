//! The embedded API and a real kube-apiserver, one after the other on this machine, driven by the same client over TLS.
//!
//! `KRO_SHARED_DIR=... cargo bench -p kro-serve --bench api` prints a Markdown table; `-- --objects 1000` measures less,
//! `-- --only-ours` leaves the real server out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss)]

#[allow(dead_code)]
#[path = "../../tests/it/client.rs"]
mod client;
#[path = "../../tests/it/control_plane.rs"]
mod control_plane;
mod embedded;
mod load;
mod process;
mod raw;

use control_plane::ControlPlane;
use embedded::Embedded;
use load::{Figure, Size};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    if let Some(path) = value("--serve") {
        return embedded::serve(path.as_ref());
    }
    if arguments.iter().any(|argument| argument == "--test") {
        return; // `cargo test` runs benches, too.
    }
    let size = value("--objects").map_or(Size::default(), |objects| Size::of(objects.parse().unwrap()));
    let ours = {
        let server = Embedded::start();
        load::measure(&server.endpoint, &[server.pid()], &size)
    };
    let shared = std::env::var_os("KRO_SHARED_DIR");
    let is_alone = arguments.iter().any(|argument| argument == "--only-ours");
    let theirs = shared.filter(|_| !is_alone).map(|shared| {
        let server = ControlPlane::start(shared.as_ref());
        load::measure(server.endpoint(), &server.pids(), &size)
    });
    if theirs.is_none() {
        eprintln!("SKIPPED: the real API server (KRO_SHARED_DIR is not set, or --only-ours)");
    }
    print(&ours, theirs.as_deref().unwrap_or_default());
}

fn print(ours: &[Figure], theirs: &[Figure]) {
    println!(
        "| | kro | kube-apiserver with etcd | ratio | CPU of kro | CPU of both | ratio |\n|---|---|---|---|---|---|---|"
    );
    for (index, ours) in ours.iter().enumerate() {
        let Some(theirs) = theirs.get(index) else {
            println!("| {} | {} | | | {} | | |", ours.name, ours.text(), ours.cpu_text());
            continue;
        };
        let ratio = ours.times_better_than(theirs);
        let cpu = if ours.cpu > 0.0 { format!("{:.1}", theirs.cpu / ours.cpu) } else { String::new() };
        println!(
            "| {} | {} | {} | {ratio:.1} | {} | {} | {cpu} |",
            ours.name,
            ours.text(),
            theirs.text(),
            ours.cpu_text(),
            theirs.cpu_text()
        );
    }
}
