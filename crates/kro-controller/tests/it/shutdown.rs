//! The end of a process: what was sent is waited for, nothing new begins, and the next process finishes the rest.

use std::time::Duration;

use kro_controller::{Controller, RequestRecord, Settings};
use kro_manager::Config;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{World, until, watched};

const INSTANCES: usize = 40;

fn config_map(number: usize) -> String {
    format!("/api/v1/namespaces/default/configmaps/n{number}")
}

impl World {
    fn create_notes(&self) {
        for number in 0..INSTANCES {
            let text = format!(
                r#"{{"apiVersion":"kro.run/v1alpha1","kind":"Note","metadata":{{"name":"n{number}"}},"spec":{{"text":"hello"}}}}"#
            );
            self.create("/apis/kro.run/v1alpha1/namespaces/default/notes", &text);
        }
    }

    fn made(&self) -> usize {
        (0..INSTANCES).filter(|number| self.is_there(&config_map(*number))).count()
    }
}

/// Every request that the driver reports from now on, until it is gone.
async fn rest(mut records: UnboundedReceiver<RequestRecord>) -> Vec<RequestRecord> {
    let mut all = Vec::new();
    while let Some(record) = records.recv().await {
        all.push(record);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn shutdown_in_the_middle_of_work() {
    let world = World::start().await;
    world.create_graph();
    // Few at a time, so that much is waiting when the end comes.
    let manager = Config { requests_in_flight_max: 4, ..Config::default() };
    let (settings, mut records) = watched(Settings { manager, ..Settings::default() });
    let first = Controller::start(world.client(), settings);
    until("the kind is served", || world.is_there("/apis/kro.run/v1alpha1/namespaces/default/notes")).await;
    world.create_notes();
    let mut seen = 0;
    while seen < 30 {
        records.recv().await.unwrap();
        seen += 1;
    }
    let unread = records.len();
    assert!(first.shut_down(Duration::from_secs(60)).await, "the answers did not come");
    let made = world.made();
    assert!(made < INSTANCES, "there was nothing left to do when it was told to end");
    // The channel has ended, so nobody is left who could send anything.
    let late = rest(records).await;
    assert!(late.len() <= unread + 4, "more than what was under way: {late:?}");
    assert!(late.iter().all(|record| record.status != 0), "an answer was not waited for: {late:?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.made(), made, "something was written after the end");

    let second = Controller::start(world.client(), Settings::default());
    until("the second process finishes the work", || world.made() == INSTANCES).await;
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn shutdown_at_rest_sends_nothing() {
    let world = World::start().await;
    world.create_graph();
    let (settings, records) = watched(Settings::default());
    let controller = Controller::start(world.client(), settings);
    until("the kind is served", || world.is_there("/apis/kro.run/v1alpha1/namespaces/default/notes")).await;
    world.create_notes();
    until("all are made", || world.made() == INSTANCES).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let before = records.len();
    assert!(controller.shut_down(Duration::from_secs(60)).await);
    assert_eq!(rest(records).await.len(), before);
}
