//! Label and field selectors: as text, as an object, and in the query of a list.
#![no_main]

use kro_apimachinery::{FieldSelector, LabelSelector};
use kro_apiserver::{ApiServer, Config, Method, Request, Timestamp};
use kro_value::{Value, from_json};
use libfuzzer_sys::fuzz_target;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

thread_local! {
    static SERVER: std::cell::RefCell<ApiServer> = {
        let mut server = ApiServer::new(Config::default(), Timestamp::UNIX_EPOCH);
        let body = r#"{"metadata":{"name":"a","labels":{"a":"b","example.com/c":"1"}}}"#;
        let request = Request::new(Method::Post, MAPS).with_body("application/json", body);
        server.handle(&request, Timestamp::UNIX_EPOCH);
        server.into()
    };
}

fuzz_target!(|text: &str| {
    let labels = from_json(r#"{"a":"b","example.com/c":"1"}"#).expect("sound");
    let labels = labels.as_map();
    if let Ok(selector) = LabelSelector::parse(text) {
        let written = LabelSelector::parse(&selector.to_string()).expect("what is written can be read");
        assert_eq!(written.matches(labels), selector.matches(labels), "{text:?}");
    }
    if let Ok(selector) = FieldSelector::parse(text) {
        let written = FieldSelector::parse(&selector.to_string()).expect("what is written can be read");
        assert_eq!(written, selector);
        selector.matches(|field| field.to_owned().into());
    }
    if let Ok(value) = from_json(text) {
        LabelSelector::from_value(&value).matches(labels);
    }
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    SERVER.with_borrow_mut(|server| {
        for parameter in ["labelSelector", "fieldSelector"] {
            let request = Request::new(Method::Get, &format!("{MAPS}?{parameter}={escaped}"));
            let response = server.handle(&request, Timestamp::UNIX_EPOCH);
            let body: Value = from_json(&String::from_utf8_lossy(response.bytes())).expect("an answer is JSON");
            assert!(matches!(response.status, 200 | 400), "{} {body}", response.status);
        }
    });
});
