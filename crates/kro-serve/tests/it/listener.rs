use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kro_apiserver::{ApiServer, Config, Fault, FaultAction, SignedDuration, User};
use kro_serve::{Clock, Identity, Listener, REQUEST_BYTES_MAX, Server, Tokens};
use kro_value::{Value, from_json};

use crate::client::{Client, Options, request};
use crate::control_plane::Endpoint;

const PROTOCOLS: [&[u8]; 2] = [b"http/1.1", b"h2"];
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn server() -> Server {
    Server::new(ApiServer::new(Config::default(), Clock::System.now()), Clock::System)
}

async fn listen() -> Listener {
    let tokens = Tokens::new().with("of-ann", User::in_groups("ann", &["team"]));
    server().listen_with(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tokens).await.unwrap()
}

async fn connect(listener: &Listener, protocol: &'static [u8]) -> Client {
    let authority_pem = listener.authority_pem();
    Client::connect(Options { address: listener.address(), authority_pem, protocol, certificate: None }).await
}

fn config_map(name: &str) -> String {
    format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}}}}"#)
}

fn user_of(review: &str) -> (String, Vec<String>) {
    let review = from_json(review).unwrap();
    let user = review.at(&["status", "userInfo"]).expect("a review of the user");
    let groups = user.get("groups").and_then(Value::as_list).unwrap_or_default();
    let groups = groups.iter().map(|group| group.as_str().unwrap().to_owned()).collect();
    (user.str_at(&["username"]).unwrap().to_owned(), groups)
}

fn who_am_i(token: &str) -> http::Request<http_body_util::Full<Bytes>> {
    let review = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
    request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", token, review)
}

/// The next line of a watch.
async fn event(body: &mut Incoming) -> Option<Value> {
    let frame = body.frame().await?.unwrap();
    let line = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
    Some(from_json(line.trim()).unwrap())
}

#[tokio::test]
async fn objects_are_written_and_read_over_both_protocols() {
    let listener = listen().await;
    for (protocol, name) in PROTOCOLS.into_iter().zip(["one", "two"]) {
        let mut client = connect(&listener, protocol).await;
        let (status, body) = client.text(request("POST", CONFIG_MAPS, listener.token(), config_map(name))).await;
        assert_eq!(status, 201, "{body}");
        let (status, body) = client.text(request("GET", &format!("{CONFIG_MAPS}/{name}"), listener.token(), "")).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(from_json(&body).unwrap().str_at(&["metadata", "name"]), Some(name));
    }
}

#[tokio::test]
async fn a_watch_sends_its_head_at_once_and_events_as_they_happen() {
    let listener = listen().await;
    for (protocol, name) in PROTOCOLS.into_iter().zip(["one", "two"]) {
        let mut watcher = connect(&listener, protocol).await;
        let target = format!("{CONFIG_MAPS}?watch=true&fieldSelector=metadata.name={name}");
        let response = watcher.send(request("GET", &target, listener.token(), "")).await;
        assert_eq!(response.status(), 200);
        let mut events = response.into_body();
        let mut writer = connect(&listener, protocol).await;
        writer.text(request("POST", CONFIG_MAPS, listener.token(), config_map(name))).await;
        let added = event(&mut events).await.unwrap();
        assert_eq!(added.str_at(&["type"]), Some("ADDED"));
        assert_eq!(added.str_at(&["object", "metadata", "name"]), Some(name));
        writer.text(request("DELETE", &format!("{CONFIG_MAPS}/{name}"), listener.token(), "")).await;
        assert_eq!(event(&mut events).await.unwrap().str_at(&["type"]), Some("DELETED"));
    }
}

#[tokio::test]
async fn users_are_known_by_token_certificate_or_not_at_all() {
    let listener = listen().await;
    let mut client = connect(&listener, b"h2").await;
    let team = vec!["team".to_owned(), "system:authenticated".to_owned()];
    assert_eq!(user_of(&client.text(who_am_i("of-ann")).await.1), ("ann".to_owned(), team.clone()));
    let (name, groups) = user_of(&client.text(who_am_i("")).await.1);
    assert_eq!((name.as_str(), groups), ("system:anonymous", vec!["system:unauthenticated".to_owned()]));
    let (status, body) = client.text(who_am_i("wrong")).await;
    assert_eq!(status, 401);
    assert_eq!(from_json(&body).unwrap().str_at(&["reason"]), Some("Unauthorized"));

    let certificate = listener.client_certificate("bob", "team").unwrap();
    let (address, authority_pem) = (listener.address(), listener.authority_pem());
    let options = Options { address, authority_pem, protocol: b"http/1.1", certificate: Some(&certificate) };
    let mut client = Client::connect(options).await;
    assert_eq!(user_of(&client.text(who_am_i("")).await.1), ("bob".to_owned(), team));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let listener = listen().await;
    for protocol in PROTOCOLS {
        let mut client = connect(&listener, protocol).await;
        let body = vec![b' '; REQUEST_BYTES_MAX + 1];
        let (status, body) = client.text(request("POST", CONFIG_MAPS, listener.token(), body)).await;
        assert_eq!(status, 413);
        assert!(body.contains("Request entity too large: limit is 3145728"), "{body}");
    }
}

#[tokio::test]
async fn shutdown_ends_watches_and_refuses_new_connections() {
    let listener = listen().await;
    let address = listener.address();
    let mut client = connect(&listener, b"http/1.1").await;
    let watch = client.send(request("GET", &format!("{CONFIG_MAPS}?watch=true"), listener.token(), "")).await;
    let began = Instant::now();
    listener.shutdown().await;
    let mut events = watch.into_body();
    while event(&mut events).await.is_some() {}
    assert!(began.elapsed() < Duration::from_secs(1), "nothing had to be cut");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_kubeconfig_names_the_server_and_its_secrets() {
    let listener = listen().await;
    let text = listener.kubeconfig();
    assert!(text.contains(&format!("server: https://{}\n", listener.address())));
    assert!(text.contains(&format!("token: {}\n", listener.token())));
    assert_eq!(listener.token().len(), 64);
}

#[tokio::test]
async fn a_kubeconfig_stays_good_over_restarts() {
    let folder = std::env::temp_dir().join(format!("kro-restart-{}", std::process::id()));
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let start = async || {
        let identity = Identity::open(&folder).unwrap();
        server().listen_by(any, Tokens::new(), identity).await.unwrap()
    };
    let first = start().await;
    let endpoint = Endpoint::of_kubeconfig(&first.kubeconfig());
    let certificate = first.client_certificate("ann", "team").unwrap();
    first.shutdown().await;
    let second = start().await;
    // The same address, authority and token.
    let mut client = endpoint.connect().await;
    let (status, body) = client.text(request("GET", CONFIG_MAPS, &endpoint.token, "")).await;
    assert_eq!(status, 200, "{body}");
    // Certificates that the first one signed.
    let options = Options { certificate: Some(&certificate), ..endpoint.options(b"http/1.1") };
    let (_, review) = Client::connect(options).await.text(who_am_i("")).await;
    assert_eq!(user_of(&review).0, "ann");
    // Two at once cannot have one address.
    let third = start().await;
    assert_ne!(third.address(), second.address());
    second.shutdown().await;
    third.shutdown().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_fault_delays_an_answer() {
    let server = server();
    let delay = SignedDuration::from_millis(40);
    let action = FaultAction::Delay(delay);
    let fault = Fault { method: None, path_prefix: CONFIG_MAPS.to_owned(), skip: 1, times: 1, action };
    server.with_api(|api, _| api.inject(fault));
    let mut client = server.in_process(User::admin());
    let mut times = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let response = tower_service::Service::call(&mut client, request("GET", CONFIG_MAPS, "", "")).await.unwrap();
        assert_eq!(response.status(), 200);
        times.push(start.elapsed());
    }
    let delay = Duration::try_from(delay).unwrap();
    assert!(times[1] >= delay && times[0] < times[1] && times[2] < times[1], "{times:?}");
}

#[tokio::test]
async fn a_burst_of_events_arrives_completely() {
    let listener = listen().await;
    for protocol in PROTOCOLS {
        let mut client = connect(&listener, protocol).await;
        let response = client
            .send(request(
                "GET",
                &format!("{CONFIG_MAPS}?watch=1&resourceVersion=0&labelSelector=p%3D{}", protocol.len()),
                listener.token(),
                "",
            ))
            .await;
        let mut body = response.into_body();
        let mut writer = connect(&listener, protocol).await;
        for index in 0..50 {
            let labels = format!(
                r#"{{"metadata":{{"name":"p{}-{index}","labels":{{"p":"{}"}}}}}}"#,
                protocol.len(),
                protocol.len()
            );
            let (status, text) = writer.text(request("POST", CONFIG_MAPS, listener.token(), labels)).await;
            assert_eq!(status, 201, "{text}");
        }
        let mut lines = 0;
        while lines < 50 {
            let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
            lines += frame.iter().filter(|byte| **byte == b'\n').count();
        }
        assert_eq!(lines, 50);
    }
}
