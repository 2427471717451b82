//! Values with their place in an object, for rules that are written down one by one.

use std::cell::RefCell;

use kro_apimachinery::{FieldError, FieldErrorKind, names};
use kro_value::{Quantity, Str, Value, to_json};

pub(super) const PORT: &str = "must be between 1 and 65535, inclusive";
pub(super) const NEGATIVE: &str = "must be greater than or equal to 0";
const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
const IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// What is wrong with an object, as it is found.
#[derive(Default)]
pub(super) struct Findings {
    errors: RefCell<Vec<FieldError>>,
}

impl Findings {
    pub(super) fn is_empty(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    pub(super) fn into_errors(self) -> Vec<FieldError> {
        self.errors.into_inner()
    }
}

/// A value, or its absence, at a path.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) value: Option<&'a Value>,
    pub(super) path: String,
    findings: &'a Findings,
}

impl<'a> Place<'a> {
    pub(super) fn root(object: &'a Value, findings: &'a Findings) -> Self {
        Self { value: Some(object), path: String::new(), findings }
    }

    /// This value, reported of at another path.
    pub(super) fn named(&self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self.clone() }
    }

    pub(super) fn get(&self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let value = self.value.and_then(|value| value.get(key)).filter(|value| !value.is_null());
        Self { value, path, findings: self.findings }
    }

    pub(super) fn at(&self, keys: &[&str]) -> Self {
        keys.iter().fold(self.clone(), |place, key| place.get(key))
    }

    pub(super) fn items(&self) -> Vec<Self> {
        let items = self.value.and_then(Value::as_list).unwrap_or_default().iter().enumerate();
        items
            .map(|(index, value)| Self {
                value: Some(value),
                path: format!("{}[{index}]", self.path),
                findings: self.findings,
            })
            .collect()
    }

    /// The entries of a map, at `path[key]`.
    pub(super) fn entries(&self) -> Vec<(&'a str, Self)> {
        let entries = self.value.and_then(Value::as_map).into_iter().flatten();
        entries
            .map(|(key, value)| {
                let path = format!("{}[{key}]", self.path);
                (key.as_str(), Self { value: Some(value), path, findings: self.findings })
            })
            .collect()
    }

    pub(super) fn is_set(&self) -> bool {
        self.value.is_some()
    }

    /// True for nothing, an empty text, list or map.
    pub(super) fn is_empty(&self) -> bool {
        match self.value {
            None => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::List(items)) => items.is_empty(),
            Some(Value::Map(map)) => map.is_empty(),
            Some(_) => false,
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.value.and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn int(&self) -> Option<i64> {
        self.value.and_then(Value::as_i64)
    }

    pub(super) fn flag(&self) -> bool {
        self.value.and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn quantity(&self) -> Option<Quantity> {
        match self.value? {
            Value::String(text) => Quantity::parse(text).ok(),
            Value::Int(number) => Some(Quantity::from_int(*number)),
            _ => None,
        }
    }

    fn report(&self, error: FieldError) {
        self.findings.errors.borrow_mut().push(error);
    }

    fn shown(&self) -> Value {
        self.value.cloned().unwrap_or_default()
    }

    pub(super) fn required(&self, detail: &str) {
        self.report(FieldError::required(&self.path, detail));
    }

    pub(super) fn forbidden(&self, detail: impl Into<String>) {
        self.report(FieldError::forbidden(&self.path, detail));
    }

    pub(super) fn invalid(&self, detail: impl Into<String>) {
        self.report(FieldError::invalid(&self.path, &self.shown(), detail));
    }

    /// As [`invalid`](Self::invalid), of another value.
    pub(super) fn invalid_as(&self, value: impl Into<Value>, detail: impl Into<String>) {
        self.report(FieldError::invalid(&self.path, &value.into(), detail));
    }

    /// As [`invalid`](Self::invalid), of a value as Go prints it.
    pub(super) fn invalid_raw(&self, value: impl Into<String>, detail: impl Into<String>) {
        let error = FieldError::new(FieldErrorKind::Invalid, &self.path, detail);
        self.report(FieldError { value: Some(value.into()), ..error });
    }

    /// As [`invalid`](Self::invalid), where the text shows no value.
    pub(super) fn invalid_bare(&self, detail: &str) {
        self.report(FieldError::new(FieldErrorKind::Invalid, &self.path, detail));
    }

    pub(super) fn unsupported(&self, supported: &[&str]) {
        let value = self.value.cloned().unwrap_or_else(|| "".into());
        self.report(FieldError::not_supported(&self.path, &value, supported));
    }

    pub(super) fn unsupported_raw(&self, value: impl Into<String>, supported: &[&str]) {
        let error = FieldError::not_supported(&self.path, &Value::Null, supported);
        self.report(FieldError { value: Some(value.into()), ..error });
    }

    pub(super) fn duplicate(&self) {
        self.report(FieldError::duplicate(&self.path, &self.shown()));
    }

    pub(super) fn duplicate_of(&self, value: impl Into<Value>) {
        self.report(FieldError::duplicate(&self.path, &value.into()));
    }

    pub(super) fn duplicate_raw(&self, value: impl Into<String>, detail: &str) {
        let error = FieldError::new(FieldErrorKind::Duplicate, &self.path, detail);
        self.report(FieldError { value: Some(value.into()), ..error });
    }

    pub(super) fn not_found(&self, detail: &str) {
        let value = self.value.cloned().unwrap_or_else(|| "".into());
        self.report(FieldError { detail: detail.to_owned(), ..FieldError::not_found(&self.path, &value) });
    }

    /// One finding for each text.
    pub(super) fn invalid_each(&self, details: Vec<String>) {
        let value = self.value.cloned().unwrap_or_else(|| "".into());
        details.into_iter().for_each(|detail| self.report(FieldError::invalid(&self.path, &value, detail)));
    }

    /// Required where it is empty; true when it is there.
    pub(super) fn require(&self, detail: &str) -> bool {
        if self.is_empty() {
            self.required(detail);
        }
        !self.is_empty()
    }

    /// One of these, where it is set.
    pub(super) fn one_of(&self, supported: &[&str]) {
        if !self.is_empty() && !supported.contains(&self.text()) {
            self.unsupported(supported);
        }
    }

    /// One of these, and set.
    pub(super) fn require_one_of(&self, supported: &[&str]) {
        if self.require("") {
            self.one_of(supported);
        }
    }

    pub(super) fn non_negative(&self) {
        if self.int().is_some_and(|number| number < 0) {
            self.invalid(NEGATIVE);
        }
    }

    pub(super) fn positive(&self, detail: &str) {
        if self.int().is_some_and(|number| number <= 0) {
            self.invalid(detail);
        }
    }

    pub(super) fn between(&self, least: i64, most: i64) {
        if self.int().is_some_and(|number| !(least..=most).contains(&number)) {
            self.invalid(format!("must be between {least} and {most}, inclusive"));
        }
    }

    pub(super) fn dns_label(&self) {
        self.invalid_each(names::dns_label_errors(self.text()));
    }

    pub(super) fn subdomain(&self) {
        self.invalid_each(names::subdomain_errors(self.text()));
    }

    pub(super) fn qualified_name(&self) {
        self.invalid_each(names::qualified_name_errors(self.text()));
    }

    /// These rules, where it is set.
    pub(super) fn if_set(&self, check: impl FnOnce(&Self)) {
        if !self.is_empty() {
            check(self);
        }
    }

    /// A number or a name.
    pub(super) fn port(&self) {
        match self.value {
            Some(Value::String(text)) => self.invalid_each(names::port_name_errors(text)),
            Some(Value::Int(number)) if !(1..=65_535).contains(number) => self.invalid(PORT),
            _ => {}
        }
    }

    pub(super) fn ip(&self) {
        if !is_ip(self.text()) {
            self.invalid(IP);
        }
    }

    pub(super) fn cidr(&self) {
        if parse_cidr(self.text()).is_none() {
            self.invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
        }
    }

    /// Labels, whose findings are all at the map.
    pub(super) fn labels(&self) {
        for (key, value) in self.entries() {
            let at = |details: Vec<String>, shown: &str| {
                details.into_iter().for_each(|detail| self.invalid_as(shown, detail));
            };
            at(names::label_key_errors(key), key);
            at(names::label_value_errors(value.text()), value.text());
        }
    }

    /// A selector of labels.
    pub(super) fn label_selector(&self) {
        self.get("matchLabels").labels();
        for requirement in self.get("matchExpressions").items() {
            requirement.get("key").invalid_each(names::label_key_errors(requirement.get("key").text()));
            requirement.selector_values(&[]);
            for value in requirement.get("values").items() {
                value.invalid_each(names::label_value_errors(value.text()));
            }
        }
    }

    /// The operator of a requirement and the number of its values; `single` operators take one.
    pub(super) fn selector_values(&self, single: &[&str]) {
        let (operator, values) = (self.get("operator"), self.get("values"));
        match operator.text() {
            "In" | "NotIn" if values.is_empty() => {
                values.required("must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other if single.contains(&other) => {
                if values.items().len() != 1 {
                    values.required("must be specified single value when `operator` is 'Lt' or 'Gt'");
                }
            }
            _ => operator.named(&operator.path).invalid_as(operator.text(), "not a valid selector operator"),
        }
    }

    /// A number that is not negative, or a percentage.
    pub(super) fn int_or_percent(&self) {
        match self.value {
            Some(Value::String(text)) if percent(text).is_none() => self.invalid(PERCENT),
            _ => self.non_negative(),
        }
    }

    pub(super) fn at_most_100_percent(&self) {
        if percent(self.text()).is_some_and(|percent| percent > 100) {
            self.invalid("must not be greater than 100%");
        }
    }

    /// The number, or that of the percentage.
    pub(super) fn amount(&self) -> i64 {
        self.int().or_else(|| percent(self.text())).unwrap_or_default()
    }

    /// A field that must stay as it was.
    pub(super) fn immutable(&self, live: &Self) {
        let null = Value::Null;
        let (new, old) = (self.value.unwrap_or(&null), live.value.unwrap_or(&null));
        if !crate::write::semantically_equal(new, old) {
            self.invalid("field is immutable");
        }
    }

    /// The value as a Go struct of these fields prints: `Name` in Go, and its key.
    pub(super) fn go_struct(&self, fields: &[(&str, &str)]) -> String {
        let member = |(name, key): &(&str, &str)| {
            let value = self.get(key).value.map_or_else(|| "null".to_owned(), to_json);
            format!("{name:?}:{value}")
        };
        format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// An address and the length of its prefix.
pub(super) fn parse_cidr(text: &str) -> Option<(std::net::IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let (address, bits): (std::net::IpAddr, u32) = (address.parse().ok()?, bits.parse().ok()?);
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

fn percent(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

/// Says which names come again.
#[derive(Default)]
pub(super) struct Seen {
    names: std::collections::BTreeSet<Str>,
}

impl Seen {
    /// True the first time.
    pub(super) fn is_new(&mut self, name: &str) -> bool {
        self.names.insert(Str::new(name))
    }
}
