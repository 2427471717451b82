//! The environment of the targets for expressions: a variable of every type, and Kubernetes objects with their schemas.

use std::collections::BTreeMap;
use std::sync::Arc;

use kro_cel::value::{CelDuration, CelTimestamp, Cidr, Ip, Opaque, Semver, Url};
use kro_cel::{CelValue, Environment, Issue, Type, library, view};
use kro_schema::builtin;
use kro_schema::cel::SchemaTypes;
use kro_schema::view::SchemaView;
use kro_value::{Quantity, Str, Value, from_json};

/// Variables with their values.
pub type Variables = BTreeMap<Str, CelValue>;

const DEPLOYMENT: &str = r#"{"apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "prod", "labels": {"app": "web", "app.kubernetes.io/name": "web"},
        "creationTimestamp": "2026-03-01T10:20:30Z", "generation": 3},
    "spec": {"replicas": 3, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}},
        "template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.27",
            "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9090}],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}}}]}}},
    "status": {"readyReplicas": 2, "conditions": [{"type": "Available", "status": "True"}]}}"#;
const SECRET: &str = r#"{"metadata": {"name": "creds"}, "data": {"user": "YWRtaW4=", "bad": "*"}}"#;
const DYNAMIC: &str = r#"{"name": "x", "n": 3, "f": 0.5, "list": [3, "a", null, {"b": [1]}], "empty": {}, "nothing": null}"#;

/// The environment and the values of its variables.
pub fn environment() -> (Environment, Variables) {
    let mut builder = library::kro_environment().extend();
    let mut variables = Variables::new();
    for (name, ty, value) in plain() {
        builder = builder.variable(name, ty);
        variables.insert(Str::new(name), value);
    }
    let mut types = SchemaTypes::new();
    for (name, kind, list, data) in [
        ("deployment", ("apps", "v1", "Deployment"), false, DEPLOYMENT.to_owned()),
        ("secret", ("", "v1", "Secret"), false, SECRET.to_owned()),
        ("deployments", ("apps", "v1", "Deployment"), true, format!("[{DEPLOYMENT}, {{}}]")),
    ] {
        let schema = builtin::resolve(kind.0, kind.1, kind.2).expect("a built-in kind");
        let ty = if list { types.declare_list(name, &schema) } else { types.declare(name, &schema) };
        let seen = SchemaView::new(schema);
        let seen = if list { seen.list_of() } else { seen };
        builder = builder.variable(name, ty.expect("a type"));
        variables.insert(Str::new(name), view::typed(&json(&data), &seen).expect("an object"));
    }
    (builder.types(Arc::new(types)).build(), variables)
}

fn plain() -> Vec<(&'static str, Type, CelValue)> {
    let ints = || CelValue::list([3, 1, 2].map(CelValue::Int));
    let texts = || CelValue::list(["b", "", "ä"].map(CelValue::from));
    let object = || CelValue::from_json(json(r#"{"a": 1, "b": 2}"#));
    vec![
        ("b", Type::Bool, true.into()),
        ("i", Type::Int, 7_i64.into()),
        ("u", Type::Uint, 3_u64.into()),
        ("d", Type::Double, 1.5.into()),
        ("s", Type::String, "a-ü".into()),
        ("y", Type::Bytes, CelValue::Bytes([0x61, 0xff].as_slice().into())),
        ("x", Type::Dyn, CelValue::from_json(json(DYNAMIC))),
        ("ts", Type::Timestamp, CelValue::Timestamp(CelTimestamp::parse("2026-03-01T10:20:30.5Z").expect("a moment"))),
        ("dur", Type::Duration, CelValue::Duration(CelDuration::parse("90s").expect("a duration"))),
        ("li", Type::list(Type::Int), ints()),
        ("ls", Type::list(Type::String), texts()),
        ("ld", Type::list(Type::Dyn), CelValue::from_json(json(r#"[1, "a", null, 1.5, [2]]"#))),
        ("msi", Type::map(Type::String, Type::Int), object()),
        ("msd", Type::map(Type::String, Type::Dyn), CelValue::from_json(json(DYNAMIC))),
        ("oi", Type::optional(Type::Int), CelValue::some(5_i64.into())),
        ("os", Type::optional(Type::String), CelValue::none()),
        ("t", Type::Type(None), CelValue::Type("int".into())),
        ("q", Type::object("kubernetes.Quantity"), opaque(Quantity::parse("1.5Gi").ok(), Opaque::Quantity)),
        ("url1", Type::object("kubernetes.URL"), opaque(Url::parse("https://u@h:8/p?q=1").ok(), Opaque::Url)),
        ("sv", Type::object("kubernetes.Semver"), opaque(Semver::parse("1.2.3-rc.1+b").ok(), Opaque::Semver)),
        ("ip1", Type::opaque("net.IP", []), opaque(Ip::parse("fd00::1").ok(), Opaque::Ip)),
        ("cidr1", Type::opaque("net.CIDR", []), opaque(Cidr::parse("10.0.0.0/8").ok(), Opaque::Cidr)),
    ]
}

fn opaque<T>(value: Option<T>, wrap: fn(Arc<T>) -> Opaque) -> CelValue {
    wrap(Arc::new(value.expect("a value"))).into()
}

fn json(text: &str) -> Value {
    from_json(text).expect("JSON")
}

/// What must hold for every issue of a text.
pub fn verify(text: &str, issues: &[Issue]) {
    for issue in issues {
        assert!(text.get(issue.span.clone()).is_some() && text.is_char_boundary(issue.anchor), "{issue:?}");
        assert!(!issue.message.is_empty());
        issue.render(text);
    }
}
