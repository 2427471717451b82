//! The graphs under load, and what a bare client sends for one instance of each.

use std::fmt::Write as _;

use kro_engine::marks::{Owner, Place, mark_child};
use kro_value::{Str, Value};

use crate::Failure;

/// One of the graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graph {
    /// Two ConfigMaps, the second reads the first.
    Simple,
    /// ConfigMap, Deployment, Service, Ingress.
    WebApp,
    /// Ten ConfigMaps in a row.
    Chain10,
    /// `forEach` of twenty ConfigMaps.
    Fanout,
}

/// Where a child goes.
#[derive(Debug, Clone)]
pub struct Child {
    pub path: String,
    pub body: Value,
}

impl Graph {
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::WebApp => "webapp",
            Self::Chain10 => "chain10",
            Self::Fanout => "fanout",
        }
    }

    pub fn kind(self) -> &'static str {
        match self {
            Self::Simple => "Simple",
            Self::WebApp => "WebApp",
            Self::Chain10 => "Chain",
            Self::Fanout => "Fanout",
        }
    }

    pub fn plural(self) -> String {
        format!("{}s", self.kind().to_lowercase())
    }

    /// Children of one instance.
    pub fn children_count(self) -> usize {
        match self {
            Self::Simple => 2,
            Self::WebApp => 4,
            Self::Chain10 => 10,
            Self::Fanout => 20,
        }
    }

    /// Resident memory of a controller that has so many instances, in MB; `None` where nothing is wanted.
    pub fn rss_limit(self, instances: usize) -> Option<f64> {
        match (self, instances) {
            (Self::Simple, 1000) => Some(30.0),
            (Self::WebApp, 1000) => Some(40.0),
            _ => None,
        }
    }

    /// The kinds of instances and children, as in the server's metrics.
    pub fn resources(self) -> &'static [&'static str] {
        match self {
            Self::WebApp => &["webapps", "configmaps", "deployments", "services", "ingresses"],
            Self::Simple => &["simples", "configmaps"],
            Self::Chain10 => &["chains", "configmaps"],
            Self::Fanout => &["fanouts", "configmaps"],
        }
    }

    pub fn definition(self) -> Result<Value, Failure> {
        let text = match self {
            Self::Simple => include_str!("graphs/simple.yaml").to_owned(),
            Self::WebApp => include_str!("graphs/webapp.yaml").to_owned(),
            Self::Fanout => include_str!("graphs/fanout.yaml").to_owned(),
            Self::Chain10 => chain(),
        };
        read(&text)?.into_iter().next().ok_or_else(|| "no definition".into())
    }

    /// An instance with all defaults.
    pub fn instance(self, name: &str) -> Value {
        Value::map([
            ("apiVersion", Value::from("kro.run/v1alpha1")),
            ("kind", Value::from(self.kind())),
            ("metadata", Value::map([("name", Value::from(name))])),
            ("spec", Value::map([("unused", Value::Null); 0])),
        ])
    }

    /// The children of an instance, exactly as the controller sends them.
    pub fn children(self, instance: &Value, namespace: &str) -> Result<Vec<Child>, Failure> {
        let name = instance.str_at(&["metadata", "name"]).unwrap_or_default();
        let owner = Owner::of(instance, "devel").ok_or("no instance")?;
        let bodies = read(&self.children_text().replace("NAME", name))?;
        let size = bodies.len();
        let mut children = Vec::with_capacity(size);
        for (position, mut body) in bodies.into_iter().enumerate() {
            let item = (self == Self::Fanout).then_some((position, size));
            let wave = u32::try_from(position + 1)?;
            mark_child(&mut body, &owner, Place { node_id: &Str::new("node"), wave, item });
            body.set_at(&["metadata", "namespace"], Value::from(namespace));
            children.push(Child { path: path_of(&body, namespace), body });
        }
        Ok(children)
    }

    fn children_text(self) -> String {
        match self {
            Self::Simple => include_str!("graphs/simple.children.yaml").to_owned(),
            Self::WebApp => include_str!("graphs/webapp.children.yaml").to_owned(),
            Self::Chain10 => configmaps((0..10).map(|hop| (format!("c{hop}"), format!("hop: \"{hop}\"")))),
            Self::Fanout => configmaps(('a'..='t').map(|item| (item.to_string(), format!("item: \"{item}\"")))),
        }
    }
}

/// ConfigMaps by suffix and line of data.
fn configmaps(items: impl Iterator<Item = (String, String)>) -> String {
    let one = |(suffix, data)| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME-{suffix}\ndata:\n  {data}\n")
    };
    items.map(one).collect::<Vec<_>>().join("---\n")
}

/// Ten ConfigMaps, each of which reads the one before it.
fn chain() -> String {
    let mut text = "apiVersion: kro.run/v1alpha1\nkind: ResourceGraphDefinition\nmetadata:\n  name: chain10\n\
                    spec:\n  schema:\n    apiVersion: v1alpha1\n    kind: Chain\n    spec:\n      start: integer | default=0\n    \
                    status:\n      last: ${c9.data.hop}\n  resources:\n"
        .to_owned();
    for hop in 0..10 {
        let value = match hop {
            0 => "${string(schema.spec.start)}".to_owned(),
            _ => format!("${{string(int(c{}.data.hop) + 1)}}", hop - 1),
        };
        let _ = writeln!(
            text,
            "    - id: c{hop}\n      template:\n        apiVersion: v1\n        kind: ConfigMap\n        metadata:\n          \
             name: ${{schema.metadata.name}}-c{hop}\n        data:\n          hop: {value}"
        );
    }
    text
}

fn read(text: &str) -> Result<Vec<Value>, Failure> {
    let parsed = kro_yaml::parse(text, kro_diagnostics::FileId(0));
    if let Some(diagnostic) = parsed.diagnostics.iter().next() {
        return Err(diagnostic.message.as_str().into());
    }
    Ok(parsed.documents.iter().map(|document| document.root.to_value()).collect())
}

fn path_of(body: &Value, namespace: &str) -> String {
    let (api, plural) = match body.str_at(&["kind"]) {
        Some("Deployment") => ("apis/apps/v1", "deployments"),
        Some("Ingress") => ("apis/networking.k8s.io/v1", "ingresses"),
        Some("Service") => ("api/v1", "services"),
        _ => ("api/v1", "configmaps"),
    };
    let name = body.str_at(&["metadata", "name"]).unwrap_or_default();
    format!("/{api}/namespaces/{namespace}/{plural}/{name}")
}
