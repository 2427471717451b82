//! Metrics and probes over HTTP. Nothing here waits for a clock.

use std::net::SocketAddr;

use kro_apiserver::{ApiServer, Config, Timestamp, User};
use kro_controller::{Client, Controller, Endpoint, Settings};
use kro_serve::{Clock, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{CONFIG_MAP, CRD, World, until};

/// Status, headers and body of the answer.
async fn get(address: SocketAddr, method: &str, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: kro\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn metrics_tell_what_was_done() {
    let world = World::start().await;
    let mut settings = Settings::default();
    settings.manager.instance_condition_metrics = true;
    let controller = Controller::start(world.client(), settings);
    let metrics = Endpoint::metrics(&"127.0.0.1:0".parse().unwrap(), controller.monitor()).await.unwrap().unwrap();
    let probes = Endpoint::probes(&"127.0.0.1:0".parse().unwrap(), controller.monitor()).await.unwrap().unwrap();
    world.create_graph();
    until("the graph is served", || world.is_there(CRD)).await;
    world.create_instance();
    until("the instance has its child", || world.is_there(CONFIG_MAP)).await;
    let mut view = controller.view();
    view.wait_for(|view| view.is_ready() && view.graphs.iter().any(|graph| !graph.instances.is_empty())).await.unwrap();
    let (status, head, body) = get(metrics.address(), "GET", "/metrics").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    for line in [
        "rgd_graph_build_total{name=\"notes\"} ",
        "rgd_graph_revision_issue_total{reason=\"no_revision\"} 1",
        "rgd_graph_revision_resolution_total{result=\"serve\"} ",
        "rgd_state_transitions_total{name=\"notes\",from=\"\",to=\"",
        "instance_reconcile_total{gvr=\"kro.run/v1alpha1, Resource=notes\"} ",
        "instance_reconcile_duration_seconds_count{gvr=\"kro.run/v1alpha1, Resource=notes\"} ",
        "instance_state_transitions_total{gvr=\"kro.run/v1alpha1, Kind=Note\",from_state=\"\",to_state=\"",
        "instance_condition_current_status_seconds{gvr=\"kro.run/v1alpha1, Resource=notes\",namespace=\"default\",name=\"one\",condition_type=\"Ready\",condition_status=\"True\",reason=",
        "dynamic_controller_reconcile_total{gvr=\"kro.run/v1alpha1/notes\"} ",
        "dynamic_controller_gvr_count 1",
        "dynamic_controller_handler_attach_total{type=\"parent\"} 1",
        "dynamic_controller_informer_events_total{gvr=\"kro.run/v1alpha1, Resource=notes\",event_type=\"add\"} 1",
        "dynamic_controller_informer_sync_duration_seconds_count{gvr=\"/v1, Resource=configmaps\"} 1",
        "dynamic_controller_instance_watch_count{parent_gvr=\"kro.run/v1alpha1, Resource=notes\"} 1",
        "dynamic_controller_watch_request_count{gvr=\"/v1, Resource=configmaps\",type=\"scalar\"} 1",
        "graph_revision_registry_entries{state=\"active\"} 1",
        "runtime_node_eval_total ",
        "cel_expr_eval_duration_seconds_count ",
        "rest_client_request_duration_seconds_count{verb=\"PATCH\"} ",
    ] {
        assert!(body.lines().any(|found| found.starts_with(line)), "{line} is not in\n{body}");
    }
    for (path, status, text) in
        [("/healthz", 200, "ok"), ("/readyz", 200, "ok"), ("/metrics", 404, "404 page not found\n")]
    {
        let (answered, _, body) = get(probes.address(), "GET", path).await;
        assert_eq!((answered, body.as_str()), (status, text), "{path}");
    }
    assert_eq!(get(probes.address(), "POST", "/healthz").await.0, 405);
}

#[tokio::test]
async fn probes_say_what_is_missing() {
    // An API without kro's kinds.
    let server = Server::new(ApiServer::new(Config::default(), Timestamp::UNIX_EPOCH), Clock::System);
    let client = Client::new(server.in_process(User::admin()), "default");
    let controller = Controller::start(client, Settings::default());
    let probes = Endpoint::probes(&"127.0.0.1:0".parse().unwrap(), controller.monitor()).await.unwrap().unwrap();
    until("it looked for them", || true).await;
    let (status, _, body) = get(probes.address(), "GET", "/readyz").await;
    assert_eq!(status, 500, "{body}");
    assert_eq!(get(probes.address(), "GET", "/healthz").await.0, 200);
    let monitor = controller.monitor();
    drop(controller);
    assert!(monitor.liveness().await.is_err(), "a loop that has ended is not alive");
    assert_eq!(get(probes.address(), "GET", "/healthz").await.0, 500);
}

#[tokio::test]
async fn endpoints_can_be_turned_off() {
    let world = World::start().await;
    let controller = Controller::start(world.client(), Settings::default());
    assert!(Endpoint::metrics(&"0".parse().unwrap(), controller.monitor()).await.unwrap().is_none());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string().parse().unwrap();
    let refused = Endpoint::metrics(&address, controller.monitor()).await;
    assert!(refused.is_err_and(|error| error.to_string().starts_with("cannot listen on 127.0.0.1:")));
}
