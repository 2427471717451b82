use kro_apimachinery::{FieldError, Status};
use kro_value::Value;

use crate::uri::Query;

/// `resourceVersionMatch`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Exact,
    NotOlderThan,
}

/// The options of lists and watches, checked.
#[derive(Debug, Clone)]
pub(crate) struct ListOptions {
    pub(crate) watch: bool,
    /// 0 for no limit.
    pub(crate) limit: usize,
    pub(crate) continue_token: String,
    /// `None` when unset; `Some(0)` for any.
    pub(crate) revision: Option<u64>,
    pub(crate) revision_match: Option<Match>,
    pub(crate) send_initial_events: Option<bool>,
    pub(crate) bookmarks: bool,
    pub(crate) timeout_seconds: Option<i64>,
    /// By how many resource versions a fault makes a list lag behind.
    pub(crate) lag: u64,
}

impl ListOptions {
    /// Reads and checks the options. `known_revision` is the newest there is: a list cannot be newer.
    pub(crate) fn parse(query: &Query) -> Result<Self, Status> {
        let watch = query.flag("watch").unwrap_or(false);
        check_match(query, watch)?;
        let limit = integer(query, "limit")?.unwrap_or_default();
        Ok(Self {
            watch,
            limit: usize::try_from(limit).unwrap_or_default(),
            continue_token: query.text("continue").to_owned(),
            revision: revision(query.text("resourceVersion"), watch)?,
            revision_match: match query.text("resourceVersionMatch") {
                "Exact" => Some(Match::Exact),
                "NotOlderThan" => Some(Match::NotOlderThan),
                _ => None,
            },
            send_initial_events: query.flag("sendInitialEvents"),
            bookmarks: query.flag("allowWatchBookmarks").unwrap_or(false),
            timeout_seconds: integer(query, "timeoutSeconds")?.filter(|seconds| *seconds > 0),
            lag: 0,
        })
    }
}

fn revision(text: &str, watch: bool) -> Result<Option<u64>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let error = format!("strconv.ParseUint: parsing {text:?}: invalid syntax");
        let error = FieldError::invalid("resourceVersion", &Value::from(text), error);
        if watch {
            Status::plain(error.to_string())
        } else {
            Status::bad_request(format!("invalid resource version: {error}"))
        }
    })
}

/// The resource version of a GET, which is only checked.
pub(crate) fn check_get_revision(query: &Query) -> Result<Option<u64>, Status> {
    revision(query.text("resourceVersion"), true)
}

fn integer(query: &Query, name: &str) -> Result<Option<i64>, Status> {
    let text = query.text(name);
    if text.is_empty() {
        return Ok(None);
    }
    let error = || Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
    text.parse().map(Some).map_err(|_| error())
}

/// The rules on `resourceVersionMatch` and `sendInitialEvents`.
fn check_match(query: &Query, watch: bool) -> Result<(), Status> {
    let wanted = query.text("resourceVersionMatch");
    let initial = query.flag("sendInitialEvents");
    let errors = if watch { watch_errors(wanted, initial) } else { list_errors(query, wanted, initial) };
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid("meta.k8s.io", "ListOptions", "", &errors))
}

fn list_errors(query: &Query, wanted: &str, initial: Option<bool>) -> Vec<FieldError> {
    const FIELD: &str = "resourceVersionMatch";
    let mut errors = Vec::new();
    let revision = query.text("resourceVersion");
    if !wanted.is_empty() {
        if revision.is_empty() {
            errors.push(FieldError::forbidden(
                FIELD,
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        if !query.text("continue").is_empty() {
            errors.push(FieldError::forbidden(FIELD, "resourceVersionMatch is forbidden when continue is provided"));
        }
        if !matches!(wanted, "Exact" | "NotOlderThan") {
            errors.push(FieldError::not_supported(FIELD, &wanted.into(), &["Exact", "NotOlderThan", ""]));
        }
        if wanted == "Exact" && revision == "0" {
            let detail = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            errors.push(FieldError::forbidden(FIELD, detail));
        }
    }
    if initial.is_some() {
        errors.push(FieldError::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    errors
}

fn watch_errors(wanted: &str, initial: Option<bool>) -> Vec<FieldError> {
    const FIELD: &str = "resourceVersionMatch";
    if initial.is_none() {
        let detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        let mut errors = Vec::new();
        if !wanted.is_empty() {
            errors.push(FieldError::forbidden(FIELD, detail));
        }
        if !matches!(wanted, "" | "NotOlderThan") {
            errors.push(FieldError::not_supported(FIELD, &wanted.into(), &["NotOlderThan"]));
        }
        return errors;
    }
    let mut errors = Vec::new();
    if wanted != "NotOlderThan" {
        let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        errors.push(FieldError::forbidden(FIELD, detail));
        if !wanted.is_empty() {
            errors.push(FieldError::not_supported(FIELD, &wanted.into(), &["NotOlderThan"]));
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks() {
        for (query, message) in [
            ("resourceVersionMatch=Exact", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
            ("resourceVersionMatch=Exact&resourceVersion=0", "is forbidden for resourceVersion \"0\""),
            ("resourceVersionMatch=X&resourceVersion=1", "supported values: \"Exact\", \"NotOlderThan\", \"\""),
            ("sendInitialEvents=true", "sendInitialEvents is forbidden for list"),
            ("watch=1&resourceVersionMatch=Exact", "unless sendInitialEvents is provided"),
            ("watch=1&sendInitialEvents=true", "requires setting resourceVersionMatch to NotOlderThan"),
            ("resourceVersion=abc", "invalid resource version: resourceVersion: Invalid value: \"abc\": strconv"),
            ("limit=many", "strconv.ParseInt: parsing \"many\": invalid syntax"),
        ] {
            let status = ListOptions::parse(&Query::parse(query)).unwrap_err();
            assert!(status.message.contains(message), "{query}: {}", status.message);
        }
        let options = ListOptions::parse(&Query::parse("watch=perhaps&limit=-3&resourceVersion=7")).unwrap();
        assert_eq!((options.watch, options.limit, options.revision), (true, 0, Some(7)));
    }
}
