//! Jobs and CronJobs.

use kro_apimachinery::{FieldError, LabelSelector, names};
use kro_value::Value;

use super::place::{Findings, Place};
use super::pod;

pub(super) fn job(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let spec = root.get("spec");
    job_spec(&spec);
    if live.is_none() {
        selector(&root, &spec);
    }
    if let Some(live) = live {
        let old = Place::root(live, &findings).get("spec");
        for key in [
            "completions",
            "selector",
            "template",
            "completionMode",
            "podFailurePolicy",
            "backoffLimitPerIndex",
            "managedBy",
            "successPolicy",
        ] {
            spec.get(key).immutable(&old.get(key));
        }
    }
    findings.into_errors()
}

/// A Job selects its own Pods, unless its user takes care of that.
fn selector(root: &Place<'_>, spec: &Place<'_>) {
    let selector = spec.get("selector");
    let labels = spec.at(&["template", "metadata", "labels"]);
    if !spec.get("manualSelector").flag() {
        let uid = root.at(&["metadata", "uid"]).text();
        let expected = Value::map([("batch.kubernetes.io/controller-uid", Value::from(uid))]);
        if selector.value.and_then(|selector| selector.get("matchLabels")) != Some(&expected) {
            selector.invalid("`selector` not auto-generated");
        }
    }
    let Some(parsed) = selector.value.map(LabelSelector::from_value) else { return selector.required("") };
    if !parsed.matches(labels.value.and_then(Value::as_map)) {
        labels.invalid("`selector` does not match template `labels`");
    }
}

fn job_spec(spec: &Place<'_>) {
    const COUNTS: &[&str] = &[
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "maxFailedIndexes",
        "backoffLimitPerIndex",
    ];
    COUNTS.iter().for_each(|key| spec.get(key).non_negative());
    let mode = spec.get("completionMode");
    mode.one_of(&["NonIndexed", "Indexed"]);
    if mode.text() == "Indexed" {
        if !spec.get("completions").is_set() {
            spec.get("completions").required("when completion mode is Indexed");
        }
    } else {
        for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            let place = spec.get(key);
            if place.is_set() {
                place.invalid("requires indexed completion mode");
            }
        }
        let success = spec.get("successPolicy");
        if success.is_set() {
            success.invalid_raw(success.go_struct(&[("Rules", "rules")]), "requires indexed completion mode");
        }
    }
    spec.get("podReplacementPolicy").one_of(&["Failed", "TerminatingOrFailed"]);
    spec.get("managedBy").if_set(|place| place.invalid_each(names::domain_path_errors(place.text())));
    failure_policy(&spec.get("podFailurePolicy"));
    let template = spec.get("template");
    pod::template(&template);
    let policy = template.at(&["spec", "restartPolicy"]);
    match policy.text() {
        "OnFailure" | "Never" => {}
        "" | "Always" => policy.required("valid values: \"OnFailure\", \"Never\""),
        _ => policy.unsupported(&["OnFailure", "Never"]),
    }
}

/// What a Job says of itself holds together.
pub(super) fn status(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let status = root.get("status");
    for key in ["active", "succeeded", "failed", "ready", "terminating"] {
        status.get(key).non_negative();
    }
    let holds = |kind: &str| {
        let conditions = status.get("conditions").items();
        conditions
            .iter()
            .any(|condition| condition.get("type").text() == kind && condition.get("status").text() == "True")
    };
    let (is_complete, is_failed) = (holds("Complete"), holds("Failed"));
    let ended = status.get("completionTime");
    if is_complete && !ended.is_set() {
        ended.required("completionTime is required for Complete jobs");
    }
    if !is_complete && ended.is_set() {
        ended.invalid("cannot set completionTime when there is no Complete=True condition");
    }
    let conditions = status.get("conditions");
    if is_complete && !holds("SuccessCriteriaMet") {
        conditions.invalid("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    if is_failed && !holds("FailureTarget") {
        conditions.invalid("cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if is_complete && is_failed {
        conditions.invalid("cannot set Complete=True and Failed=true conditions");
    }
    if (is_complete || is_failed) && status.get("active").int().unwrap_or_default() > 0 {
        status.get("active").invalid("active>0 is invalid for finished job");
    }
    if (is_complete || is_failed) && !status.get("startTime").is_set() {
        status.get("startTime").required("startTime is required for finished job");
    }
    findings.into_errors()
}

fn failure_policy(policy: &Place<'_>) {
    const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];
    for rule in policy.get("rules").items() {
        let action = rule.get("action");
        if action.is_empty() {
            action.required("valid values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\"");
        } else {
            action.one_of(ACTIONS);
        }
        let (codes, conditions) = (rule.get("onExitCodes"), rule.get("onPodConditions"));
        if codes.is_empty() && conditions.is_empty() {
            rule.invalid_bare("specifying one of OnExitCodes and OnPodConditions is required");
        } else if !codes.is_empty() && !conditions.is_empty() {
            rule.invalid_bare("specifying both OnExitCodes and OnPodConditions is not supported");
        }
    }
}

pub(super) fn cron_job(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let spec = root.get("spec");
    schedule(&spec.get("schedule"));
    for key in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        spec.get(key).non_negative();
    }
    spec.get("concurrencyPolicy").require_one_of(&["Allow", "Forbid", "Replace"]);
    let zone = spec.get("timeZone");
    if zone.is_set() {
        if zone.is_empty() {
            zone.invalid("timeZone must be nil or non-empty string");
        } else if !is_time_zone(zone.text()) {
            zone.invalid(format!("unknown time zone {}", zone.text()));
        }
    }
    let name = root.at(&["metadata", "name"]);
    if name.text().len() > 52 {
        name.invalid("must be no more than 52 characters");
    }
    let job = spec.at(&["jobTemplate", "spec"]);
    job_spec(&job);
    let manual = job.get("manualSelector");
    if manual.flag() {
        manual.unsupported(&["nil", "false"]);
    }
    findings.into_errors()
}

/// True for what can be the name of a time zone: their list is not known here.
fn is_time_zone(name: &str) -> bool {
    const AREAS: &[&str] = &[
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Brazil",
        "Canada",
        "Chile",
        "Etc",
        "Europe",
        "Indian",
        "Mexico",
        "Pacific",
        "US",
    ];
    const ALONE: &[&str] = &[
        "CET",
        "CST6CDT",
        "Cuba",
        "EET",
        "EST",
        "EST5EDT",
        "Egypt",
        "Eire",
        "GB",
        "GMT",
        "Greenwich",
        "HST",
        "Hongkong",
        "Iceland",
        "Iran",
        "Israel",
        "Jamaica",
        "Japan",
        "MET",
        "MST",
        "MST7MDT",
        "NZ",
        "Navajo",
        "PRC",
        "PST8PDT",
        "Poland",
        "Portugal",
        "ROC",
        "ROK",
        "Singapore",
        "Turkey",
        "UCT",
        "UTC",
        "Universal",
        "W-SU",
        "WET",
        "Zulu",
    ];
    name.split_once('/')
        .map_or_else(|| ALONE.contains(&name), |(area, place)| AREAS.contains(&area) && !place.is_empty())
}

fn schedule(place: &Place<'_>) {
    if !place.require("") {
        return;
    }
    let text = place.text();
    if text.contains("TZ") {
        return place.invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    }
    if let Err(error) = check_schedule(text) {
        place.invalid(error);
    }
}

/// The bounds of the five fields, and the names that numbers have.
const FIELDS: [(i64, i64, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

fn check_schedule(text: &str) -> Result<(), String> {
    if let Some(descriptor) = text.strip_prefix('@') {
        let known = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
        let is_known = known.contains(&descriptor) || descriptor.starts_with("every ");
        return if is_known { Ok(()) } else { Err(format!("unrecognized descriptor: {text}")) };
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    }
    for (field, bounds) in fields.iter().zip(FIELDS) {
        for range in field.split(',') {
            check_range(range, bounds)?;
        }
    }
    Ok(())
}

/// A range of a field, in the words of the reference's reader of schedules.
fn check_range(text: &str, (least, most, names): (i64, i64, &[&str])) -> Result<(), String> {
    let (range, step) = text.split_once('/').map_or((text, None), |(range, step)| (range, Some(step)));
    let number = |text: &str| {
        if let Some(index) = names.iter().position(|name| !name.is_empty() && *name == text.to_ascii_lowercase()) {
            return i64::try_from(index).map_err(|error| error.to_string());
        }
        let parsed: i64 = text
            .parse()
            .map_err(|_| format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"))?;
        if parsed < 0 { Err(format!("negative number ({parsed}) not allowed: {text}")) } else { Ok(parsed) }
    };
    let (start, end) = match range {
        "*" | "?" => (least, most),
        _ => match range.split_once('-') {
            Some((_, rest)) if rest.contains('-') => return Err(format!("too many hyphens: {text}")),
            Some((start, end)) => (number(start)?, number(end)?),
            None => {
                let start = number(range)?;
                (start, if step.is_some() { most } else { start })
            }
        },
    };
    if let Some(step) = step
        && number(step)? == 0
    {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {text}"));
    }
    if end > most {
        return Err(format!("end of range ({end}) above maximum ({most}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        for good in ["* * * * *", "*/5 0-6 1,15 jan-mar MON", "@hourly", "0 0 * * 0/2"] {
            assert_eq!(check_schedule(good), Ok(()), "{good}");
        }
        for (bad, error) in [
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("@never", "unrecognized descriptor: @never"),
        ] {
            assert_eq!(check_schedule(bad), Err(error.to_owned()), "{bad}");
        }
    }
}
