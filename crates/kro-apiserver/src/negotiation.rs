use kro_apimachinery::Status;

/// How an object is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Object,
    /// `PartialObjectMetadata` of each object; `list` says that the list form was asked for.
    Metadata { list: bool, beta: bool },
    /// A `Table` with one row for each object.
    Table { beta: bool },
}

impl Form {
    /// `meta.k8s.io/v1` or `v1beta1`.
    pub(crate) fn api_version(self) -> &'static str {
        match self {
            Self::Metadata { beta: true, .. } | Self::Table { beta: true } => "meta.k8s.io/v1beta1",
            _ => "meta.k8s.io/v1",
        }
    }
}

/// One clause of an `Accept` header.
pub(crate) struct Clause<'a> {
    pub(crate) media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

impl<'a> Clause<'a> {
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let pairs = parts
            .filter_map(|part| part.split_once('='))
            .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')));
        let mut clause = Self { media_type, parameters: pairs.collect(), quality: 1.0 };
        clause.quality = clause.parameter("q").and_then(|text| text.parse().ok()).unwrap_or(1.0);
        clause
    }

    /// True when JSON satisfies it.
    pub(crate) fn takes_json(&self) -> bool {
        matches!(self.media_type, "application/json" | "*/*")
    }
}

/// The clauses of an `Accept` header, most wanted first. Without a header: JSON.
pub(crate) fn clauses(accept: Option<&str>) -> Vec<Clause<'_>> {
    let text = accept.filter(|text| !text.trim().is_empty()).unwrap_or("application/json");
    let mut clauses: Vec<_> = text.split(',').map(Clause::parse).collect();
    clauses.sort_by(|left, right| right.quality.total_cmp(&left.quality));
    clauses
}

/// Chooses the form of the answer to a request for objects.
///
/// # Errors
/// 406 when no clause can be satisfied.
pub(crate) fn negotiate(accept: Option<&str>) -> Result<Form, Status> {
    let clauses = clauses(accept);
    clauses.iter().filter(|clause| clause.takes_json()).find_map(form).ok_or_else(|| not_acceptable(&clauses))
}

fn form(clause: &Clause<'_>) -> Option<Form> {
    let beta = match (clause.parameter("g"), clause.parameter("v")) {
        (None | Some("meta.k8s.io"), None | Some("v1")) => false,
        (None | Some("meta.k8s.io"), Some("v1beta1")) => true,
        _ => return None,
    };
    match clause.parameter("as") {
        None => Some(Form::Object),
        Some("Table") => Some(Form::Table { beta }),
        Some("PartialObjectMetadata") => Some(Form::Metadata { list: false, beta }),
        Some("PartialObjectMetadataList") => Some(Form::Metadata { list: true, beta }),
        Some(_) => None,
    }
}

pub(crate) fn not_acceptable(clauses: &[Clause<'_>]) -> Status {
    if clauses.iter().any(Clause::takes_json) {
        return Status::failure(
            406,
            "NotAcceptable",
            "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        );
    }
    let message = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf";
    Status::failure(406, "NotAcceptable", message).with_empty_details()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        for (accept, form) in [
            ("", Some(Form::Object)),
            ("application/vnd.kubernetes.protobuf, */*", Some(Form::Object)),
            (table, Some(Form::Table { beta: false })),
            ("application/json;as=Nope;g=meta.k8s.io;v=v1,application/json", Some(Form::Object)),
            (
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                Some(Form::Metadata { list: true, beta: false }),
            ),
            ("application/json;q=0.5,application/json;as=Table", Some(Form::Table { beta: false })),
            ("text/csv", None),
            ("application/vnd.kubernetes.protobuf", None),
        ] {
            assert_eq!(negotiate(Some(accept)).ok(), form, "{accept}");
        }
    }
}
