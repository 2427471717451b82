//! Two processes and one Lease, with a paused clock.

use std::time::Duration;

use kro_apiserver::Method;
use kro_controller::{Controller, LeaderElection, Leadership, Settings};
use tokio::time::Instant;

use crate::{CONFIG_MAP, CRD, World, until, watched};

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/kro-system/leases/controller.kro.run";

fn settings(identity: &str) -> Settings {
    Settings { election: Some(LeaderElection::new("kro-system", identity)), ..Settings::default() }
}

fn holder(world: &World) -> String {
    let (_, lease) = world.request(Method::Get, LEASE, None);
    lease.str_at(&["spec", "holderIdentity"]).unwrap_or_default().to_owned()
}

async fn start() -> World {
    let world = World::start().await;
    world.create(
        "/api/v1/namespaces",
        r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kro-system"}}"#,
    );
    world
}

fn leads(controller: &Controller) -> bool {
    controller.monitor().leadership() == Some(Leadership::Leader)
}

#[tokio::test(start_paused = true)]
async fn only_the_leader_works_and_hands_over_at_its_end() {
    let world = start().await;
    let first = Controller::start(world.client(), settings("first"));
    until("the first leads", || leads(&first)).await;
    let (standby, mut records) = watched(settings("second"));
    let second = Controller::start(world.client(), standby);
    world.create_graph();
    until("the graph is served", || world.is_there(CRD)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let standing = second.monitor().leadership();
    assert_eq!(standing, Some(Leadership::Standby { holder: "first".to_owned() }));
    assert!(records.try_recv().is_err(), "the one that stands by sent a request");
    assert_eq!(second.monitor().readiness().await, Ok(()), "standing by is what it is there for");
    // The end of the first: its Lease is given back, so the other does not wait for it to expire.
    let ended = Instant::now();
    assert!(first.shut_down(Duration::from_secs(5)).await);
    assert_eq!(holder(&world), "");
    until("the second leads", || leads(&second)).await;
    assert!(ended.elapsed() < Duration::from_secs(6), "{:?}", ended.elapsed());
    world.create_instance();
    until("the second works", || world.is_there(CONFIG_MAP)).await;
    assert_eq!(holder(&world), "second");
    assert_eq!(second.monitor().readiness().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_followed_by_a_take_over_when_the_lease_expires() {
    let world = start().await;
    let first = Controller::start(world.client(), settings("first"));
    until("the first leads", || leads(&first)).await;
    let second = Controller::start(world.client(), settings("second"));
    tokio::time::sleep(Duration::from_secs(30)).await;
    let crashed = Instant::now();
    drop(first);
    world.create_graph();
    until("the second leads", || leads(&second)).await;
    let took = crashed.elapsed();
    assert!((Duration::from_secs(13)..Duration::from_secs(22)).contains(&took), "{took:?}");
    until("the second works", || world.is_there(CRD)).await;
}

#[tokio::test(start_paused = true)]
async fn who_loses_the_lease_stops_and_may_lead_again() {
    let world = start().await;
    let controller = Controller::start(world.client(), settings("own"));
    until("it leads", || leads(&controller)).await;
    // Somebody takes the Lease away by force.
    let (_, mut lease) = world.request(Method::Get, LEASE, None);
    lease.set_at(&["spec", "holderIdentity"], "thief".into());
    assert_eq!(world.request(Method::Put, LEASE, Some(&lease)).0, 200);
    until("it notices", || !leads(&controller)).await;
    world.create_graph();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!world.is_there(CRD), "it works although it does not lead");
    // The thief never renews.
    until("it leads again", || leads(&controller)).await;
    until("it works again", || world.is_there(CRD)).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_namespace_for_the_lease_nothing_is_done() {
    let world = World::start().await;
    let controller = Controller::start(world.client(), settings("own"));
    world.create_graph();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!world.is_there(CRD));
    let readiness = controller.monitor().readiness().await;
    assert!(readiness.as_ref().is_err_and(|why| why.contains("kro-system")), "{readiness:?}");
    assert_eq!(controller.monitor().liveness().await, Ok(()));
}
