use std::sync::Arc;

use kro_value::{Quantity, Str};

use super::{CelValue, Cidr, Ip, Semver, Url};

/// A value of a type that a library brings.
#[derive(Clone, Debug)]
pub enum Opaque {
    /// `kubernetes.Quantity`
    Quantity(Arc<Quantity>),
    /// `kubernetes.URL`
    Url(Arc<Url>),
    /// `net.IP`
    Ip(Arc<Ip>),
    /// `net.CIDR`
    Cidr(Arc<Cidr>),
    /// `kubernetes.Semver`
    Semver(Arc<Semver>),
    /// `kubernetes.NamedFormat`: a format such as `dns1123Label`.
    Format(&'static NamedFormat),
    /// `kro.run.Condition`
    Condition(Arc<Condition>),
    /// `kro.run.Runtime`: the receiver of the `runtime.*` functions.
    Runtime,
    /// `kro.run.Omit`: the sentinel of `omit()`, which removes the field it is written to.
    Omit,
    /// `google.protobuf.Empty`
    Empty,
}

impl Opaque {
    /// The run-time name of the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Url(_) => "kubernetes.URL",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Condition(_) => "kro.run.Condition",
            Self::Runtime => "kro.run.Runtime",
            Self::Omit => "kro.run.Omit",
            Self::Empty => "google.protobuf.Empty",
        }
    }

    /// True for the types of Kubernetes' libraries.
    pub fn is_of_kubernetes(&self) -> bool {
        matches!(self, Self::Quantity(_) | Self::Url(_) | Self::Ip(_) | Self::Cidr(_) | Self::Semver(_))
    }

    /// Equality inside one type; values of different types are never equal, and `omit()` equals nothing.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Quantity(left), Self::Quantity(right)) => left.compare(right).is_eq(),
            (Self::Url(left), Self::Url(right)) => left.text == right.text,
            (Self::Ip(left), Self::Ip(right)) => left == right,
            (Self::Cidr(left), Self::Cidr(right)) => left == right,
            (Self::Semver(left), Self::Semver(right)) => left.compare(right).is_eq(),
            (Self::Format(left), Self::Format(right)) => left.name == right.name,
            (Self::Condition(left), Self::Condition(right)) => left == right,
            (Self::Empty, Self::Empty) => true,
            _ => false,
        }
    }
}

/// A condition, as the status of a Kubernetes object lists them. All fields may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// `Ready`
    pub kind: Str,
    /// `True`, `False` or `Unknown`.
    pub status: Str,
    /// `MinimumReplicasAvailable`
    pub reason: Str,
    /// For humans.
    pub message: Str,
}

impl Condition {
    /// A field by its name in expressions: `type`, `status`, `reason` or `message`.
    pub fn field(&self, name: &str) -> Option<CelValue> {
        let text = match name {
            "type" => &self.kind,
            "status" => &self.status,
            "reason" => &self.reason,
            "message" => &self.message,
            _ => return None,
        };
        Some(CelValue::String(text.clone()))
    }
}

/// A form of texts that Kubernetes has a name for.
#[derive(Debug)]
pub struct NamedFormat {
    /// `dns1123Label`
    pub name: &'static str,
    /// What is wrong with a text; nothing if it has the form.
    pub validate: fn(&str) -> Vec<String>,
}
