use kro_apimachinery::{FieldError, Status};
use kro_value::{Str, Value};

use super::FieldValidation;
use crate::uri::Query;

const MANAGER_BYTES_MAX: usize = 128;

/// The options that writes share.
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) manager: Str,
    pub(crate) validation: FieldValidation,
    pub(crate) force: bool,
}

impl WriteOptions {
    /// Reads and checks the options of a create, update or patch; `kind` names them in errors.
    pub(crate) fn parse(query: &Query, user_agent: &str, kind: &str, is_apply: bool) -> Result<Self, Status> {
        let mut errors = Vec::new();
        let dry_run = dry_run(query, &mut errors);
        let manager = manager(query, user_agent, is_apply, &mut errors);
        let force = query.flag("force");
        if force.is_some() && kind == "PatchOptions" && !is_apply {
            errors.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
        }
        let validation = validation(query, &mut errors);
        if !errors.is_empty() {
            return Err(Status::invalid("meta.k8s.io", kind, "", &errors));
        }
        Ok(Self { dry_run, manager, validation, force: force.unwrap_or(false) })
    }
}

/// `dryRun`, once or more.
pub(super) fn dry_run(query: &Query, errors: &mut Vec<FieldError>) -> bool {
    let values: Vec<&str> = query.all("dryRun").filter(|value| !value.is_empty()).collect();
    check_dry_run(&values, errors);
    !values.is_empty()
}

pub(super) fn check_dry_run(values: &[&str], errors: &mut Vec<FieldError>) {
    if values.iter().any(|value| *value != "All") {
        let list = values.iter().map(|value| Value::from(*value)).collect();
        errors.push(FieldError::not_supported("dryRun", &list, &["All"]));
    }
}

fn manager(query: &Query, user_agent: &str, is_apply: bool, errors: &mut Vec<FieldError>) -> Str {
    let given = query.text("fieldManager");
    if given.len() > MANAGER_BYTES_MAX {
        errors.push(FieldError::too_long("fieldManager", MANAGER_BYTES_MAX));
    }
    for (position, character) in given.char_indices().filter(|(_, character)| character.is_control()) {
        let detail = format!("invalid character {character:?} (at position {position})");
        let detail = detail.replace(&format!("{character:?}"), &format!("U+{:04X}", character as u32));
        errors.push(FieldError::invalid("fieldManager", &Value::from(given), detail));
    }
    if given.is_empty() && is_apply {
        errors.push(FieldError::required("fieldManager", "is required for apply patch"));
    }
    if given.is_empty() { manager_of_agent(user_agent) } else { Str::new(given) }
}

/// The manager of a client that names none: what its User-Agent starts with.
pub(crate) fn manager_of_agent(user_agent: &str) -> Str {
    let product = user_agent.split('/').next().unwrap_or_default();
    let mut name: String = product.chars().filter(|character| !character.is_control()).collect();
    while name.len() > MANAGER_BYTES_MAX {
        name.pop();
    }
    if name.is_empty() { Str::new("unknown") } else { name.into() }
}

fn validation(query: &Query, errors: &mut Vec<FieldError>) -> FieldValidation {
    match query.text("fieldValidation") {
        "" | "Warn" => FieldValidation::Warn,
        "Ignore" => FieldValidation::Ignore,
        "Strict" => FieldValidation::Strict,
        other => {
            let supported = ["", "Ignore", "Strict", "Warn"];
            errors.push(FieldError::not_supported("fieldValidation", &other.into(), &supported));
            FieldValidation::Warn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str, is_apply: bool) -> Result<WriteOptions, Status> {
        WriteOptions::parse(&Query::parse(query), "kubectl/v1 (linux)", "PatchOptions", is_apply)
    }

    #[test]
    fn reads_and_checks() {
        assert_eq!(parse("", false).unwrap_or_else(|error| panic!("{error}")).manager, "kubectl");
        assert_eq!(manager_of_agent(""), "unknown");
        for (query, is_apply, message) in [
            ("", true, "fieldManager: Required value: is required for apply patch"),
            ("force=true", false, "force: Forbidden: may not be specified for non-apply patch"),
            ("dryRun=Some", false, "dryRun: Unsupported value: [\"Some\"]: supported values: \"All\""),
            ("fieldManager=a%09b", true, "invalid character U+0009 (at position 1)"),
            ("fieldValidation=Sometimes", false, "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""),
        ] {
            let error = parse(query, is_apply).err().unwrap();
            assert!(error.message.contains(message), "{query}: {}", error.message);
        }
    }
}
