//! Laws that hold for every sequence of requests.

use std::collections::BTreeMap;

use kro_apiserver::{ApiServer, Config, Method, Request, Timestamp};
use kro_value::{Value, from_json_bytes};
use proptest::prelude::*;

const COLLECTION: &str = "/api/v1/namespaces/default/configmaps";

/// One write to one of three objects.
#[derive(Debug, Clone)]
enum Step {
    Create(u8, u8),
    Merge(u8, u8),
    Apply(u8, u8, u8),
    Label(u8, bool),
    Delete(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_u8, 0..4_u8).prop_map(|(name, value)| Step::Create(name, value)),
        (0..3_u8, 0..4_u8).prop_map(|(name, value)| Step::Merge(name, value)),
        (0..3_u8, 0..3_u8, 0..4_u8).prop_map(|(name, manager, value)| Step::Apply(name, manager, value)),
        (0..3_u8, any::<bool>()).prop_map(|(name, on)| Step::Label(name, on)),
        (0..3_u8).prop_map(Step::Delete),
    ]
}

fn request(step: &Step) -> Request {
    let patch = |name: &u8, kind: &str, manager: &str, body: String| {
        let target = format!("{COLLECTION}/c{name}?force=true&fieldManager={manager}");
        let target = if kind.contains("apply") { target } else { target.replace("force=true&", "") };
        Request::new(Method::Patch, &target).with_body(kind, body)
    };
    match step {
        Step::Create(name, value) => Request::new(Method::Post, COLLECTION).with_body(
            "application/json",
            format!(r#"{{"metadata":{{"name":"c{name}","labels":{{"on":"yes"}}}},"data":{{"k":"{value}"}}}}"#),
        ),
        Step::Merge(name, value) => {
            patch(name, "application/merge-patch+json", "merger", format!(r#"{{"data":{{"k":"{value}"}}}}"#))
        }
        Step::Apply(name, manager, value) => {
            let body = format!(
                r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"c{name}"}},"data":{{"m{manager}":"{value}"}}}}"#
            );
            patch(name, "application/apply-patch+yaml", &format!("m{manager}"), body)
        }
        Step::Label(name, on) => {
            let value = if *on { "\"yes\"" } else { "null" };
            patch(
                name,
                "application/merge-patch+json",
                "merger",
                format!(r#"{{"metadata":{{"labels":{{"on":{value}}}}}}}"#),
            )
        }
        Step::Delete(name) => Request::new(Method::Delete, &format!("{COLLECTION}/c{name}")),
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn list(server: &mut ApiServer, query: &str) -> (String, BTreeMap<String, Value>) {
    let response = server.handle(&Request::new(Method::Get, &format!("{COLLECTION}?{query}")), now());
    let body = from_json_bytes(response.bytes()).unwrap();
    let items = body.get("items").and_then(Value::as_list).unwrap_or_default();
    let named = items.iter().map(|item| (item.str_at(&["metadata", "name"]).unwrap().to_owned(), item.clone()));
    (body.str_at(&["metadata", "resourceVersion"]).unwrap().to_owned(), named.collect())
}

/// Plays the events of a watch over a list.
fn replay(state: &mut BTreeMap<String, Value>, chunks: &[kro_apiserver::Bytes]) {
    let mut newest = 0;
    for chunk in chunks {
        let event = from_json_bytes(chunk).unwrap();
        let object = event.get("object").unwrap().clone();
        let revision: u64 = object.str_at(&["metadata", "resourceVersion"]).unwrap().parse().unwrap();
        assert!(revision > newest, "revisions rise");
        newest = revision;
        let name = object.str_at(&["metadata", "name"]).unwrap().to_owned();
        match event.str_at(&["type"]).unwrap() {
            "DELETED" => drop(state.remove(&name)),
            _ => drop(state.insert(name, object)),
        }
    }
}

fn without_kind(mut object: Value) -> Value {
    object.remove_at(&["kind"]);
    object.remove_at(&["apiVersion"]);
    object
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_watch_from_any_version_converges_to_the_list(steps in prop::collection::vec(step(), 1..24), cut in 0..24_usize, labelled in any::<bool>()) {
        let mut server = ApiServer::new(Config::default(), now());
        let selector = if labelled { "labelSelector=on%3Dyes" } else { "" };
        let cut = cut.min(steps.len());
        for step in &steps[..cut] {
            server.handle(&request(step), now());
        }
        let (revision, mut state) = list(&mut server, selector);
        let shown = state.clone();
        let watch = format!("{COLLECTION}?watch=true&resourceVersion={revision}&{selector}");
        let watch = server.handle(&Request::new(Method::Get, &watch), now()).watch().unwrap();
        for step in &steps[cut..] {
            server.handle(&request(step), now());
        }
        let poll = server.next_events(watch, now());
        replay(&mut state, &poll.chunks);
        let state: BTreeMap<String, Value> = state.into_iter().map(|(name, object)| (name, without_kind(object))).collect();
        prop_assert_eq!(list(&mut server, selector).1, state);
        // The past can still be read as it was.
        let (again, past) = list(&mut server, &format!("resourceVersion={revision}&resourceVersionMatch=Exact&{selector}"));
        prop_assert_eq!(again, revision);
        prop_assert_eq!(past, shown);
    }

    #[test]
    fn putting_what_was_read_changes_nothing(steps in prop::collection::vec(step(), 1..16)) {
        let mut server = ApiServer::new(Config::default(), now());
        for step in &steps {
            server.handle(&request(step), now());
        }
        let before = server.resource_version();
        for (name, object) in list(&mut server, "").1 {
            let put = Request::new(Method::Put, &format!("{COLLECTION}/{name}")).with_body("application/json", object.to_string());
            prop_assert_eq!(server.handle(&put, now()).status, 200);
        }
        prop_assert_eq!(server.resource_version(), before);
    }

    #[test]
    fn hostile_bodies_get_an_answer(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}\":,a-z0-9$ ]{0,120}".prop_map(String::into_bytes),
            Just([b"k8s\0".to_vec(), vec![0x12, 0xff, 0xff, 0x03]].concat()),
            Just(b"[".repeat(50_000)),
            Just("{\"a\":".repeat(10_000).into_bytes()),
        ],
        kind in prop_oneof![
            Just("application/json"), Just("application/yaml"), Just("application/vnd.kubernetes.protobuf"),
            Just("application/json-patch+json"), Just("application/merge-patch+json"),
            Just("application/strategic-merge-patch+json"), Just("application/apply-patch+yaml"),
        ],
    ) {
        let mut server = ApiServer::new(Config::default(), now());
        server.handle(&request(&Step::Create(0, 0)), now());
        for (method, target) in [
            (Method::Post, COLLECTION.to_owned()),
            (Method::Put, format!("{COLLECTION}/c0")),
            (Method::Patch, format!("{COLLECTION}/c0?fieldManager=m")),
            (Method::Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned()),
            (Method::Delete, format!("{COLLECTION}/c0")),
        ] {
            let response = server.handle(&Request::new(method, &target).with_body(kind, body.clone()), now());
            prop_assert!((200..600).contains(&response.status));
        }
    }
}
