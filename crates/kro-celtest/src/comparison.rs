//! What two answers to one question have to agree in.

use serde_json::{Value, json};

/// A question with both answers.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of the environment.
    pub environment: String,
    /// The expression.
    pub text: String,
    /// What the reference says.
    pub reference: Value,
    /// What this engine says.
    pub ours: Value,
}

impl Case {
    /// Where the reference failed, or `ok`.
    pub fn reference_stage(&self) -> &str {
        stage(&self.reference)
    }

    /// Where this engine failed, or `ok`.
    pub fn our_stage(&self) -> &str {
        stage(&self.ours)
    }

    /// What the reference's evaluation or planning ended in.
    pub fn reference_error(&self) -> &str {
        self.reference["eval_error"].as_str().unwrap_or_default()
    }

    /// What this engine's evaluation or planning ended in.
    pub fn our_error(&self) -> &str {
        self.ours["eval_error"].as_str().unwrap_or_default()
    }

    /// The first difference that counts; `None` if there is none.
    ///
    /// Of syntax errors, whose words depend on the generator of the reference's parser, only the first place counts.
    pub fn difference(&self) -> Option<String> {
        let (reference, ours) = (&self.reference, &self.ours);
        if self.reference_stage() != self.our_stage() {
            return Some(format!("verdict {} {}", show(reference), show(ours)));
        }
        if self.reference_stage() == "parse" && first_syntax_error(reference).is_some() {
            let same = exact_errors(reference) == exact_errors(ours) && place(reference) == place(ours);
            return (!same).then(|| format!("syntax {} {}", reference["errors"], ours["errors"]));
        }
        for part in ["type", "value", "eval_error", "errors", "text"] {
            let is_recorded = part != "text" || reference.get(part).is_some(); // too long to be kept
            if is_recorded && reference[part] != ours[part] {
                return Some(format!("{part} {} {}", reference[part], ours[part]));
            }
        }
        let counted = reference.get("cost").filter(|_| self.reference_stage() == "ok");
        counted.filter(|cost| **cost != ours["cost"]).map(|cost| format!("cost {cost} {}", ours["cost"]))
    }
}

/// An answer in few bytes: `[type, value]`, `[stage, errors]` or `[stage, type, text]`.
pub fn record(answer: &Value) -> Value {
    let error = |error: &Value| json!([error["line"], error["col"], error["msg"]]);
    match stage(answer) {
        "ok" => json!([answer["type"], answer["value"]]),
        stage @ ("parse" | "check") => json!([stage, errors(answer).iter().map(error).collect::<Value>()]),
        stage => json!([stage, answer["type"], answer["eval_error"]]),
    }
}

/// The answer that was recorded, without its rendering.
pub fn replay(recorded: &Value) -> Value {
    let error = |error: &Value| json!({"line": error[0], "col": error[1], "msg": error[2]});
    match (recorded[0].as_str().unwrap_or_default(), recorded.get(2)) {
        (stage @ ("parse" | "check"), None) => {
            let errors = recorded[1].as_array().into_iter().flatten().map(error).collect::<Value>();
            json!({"ok": false, "stage": stage, "errors": errors})
        }
        (stage, Some(text)) => json!({"ok": false, "stage": stage, "type": recorded[1], "eval_error": text}),
        (ty, None) => json!({"ok": true, "type": ty, "value": recorded[1]}),
    }
}

fn stage(answer: &Value) -> &str {
    answer["stage"].as_str().unwrap_or("ok")
}

fn show(answer: &Value) -> String {
    let detail = ["errors", "eval_error", "value"].into_iter().find(|part| answer.get(part).is_some());
    format!("{} {}", stage(answer), detail.map(|part| answer[part].to_string()).unwrap_or_default())
}

fn errors(answer: &Value) -> &[Value] {
    answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_syntax_error(error: &Value) -> bool {
    error["msg"].as_str().unwrap_or_default().starts_with("Syntax error: ")
}

/// The first error that is about the syntax itself.
pub fn first_syntax_error(answer: &Value) -> Option<&Value> {
    errors(answer).iter().find(|error| is_syntax_error(error))
}

fn exact_errors(answer: &Value) -> Vec<&Value> {
    errors(answer).iter().filter(|error| !is_syntax_error(error)).collect()
}

fn place(answer: &Value) -> Option<(&Value, &Value)> {
    errors(answer).first().map(|error| (&error["line"], &error["col"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(reference: &Value, ours: &Value) -> bool {
        let (reference, ours) = (reference.clone(), ours.clone());
        Case { environment: String::new(), text: String::new(), reference, ours }.difference().is_some()
    }

    #[test]
    fn records_stand_for_their_answers() {
        for answer in [
            json!({"ok": true, "type": "int", "value": {"int": 1}}),
            json!({"ok": false, "stage": "check", "errors": [{"line": 1, "col": 2, "msg": "m"}], "text": "ERROR"}),
            json!({"ok": false, "stage": "eval", "type": "int", "eval_error": "division by zero"}),
        ] {
            assert!(!difference(&replay(&record(&answer)), &answer), "{answer}");
        }
    }

    #[test]
    fn what_counts_is_compared() {
        let syntax = |line: u32, msg: &str| json!({"ok": false, "stage": "parse", "errors": [{"line": line, "col": 1, "msg": msg}], "text": msg});
        let value = json!({"ok": true, "type": "int", "value": {"int": 1}});
        assert!(!difference(&syntax(1, "Syntax error: a"), &syntax(1, "Syntax error: b")));
        assert!(difference(&syntax(1, "Syntax error: a"), &syntax(2, "Syntax error: a")));
        assert!(difference(&syntax(1, "other"), &syntax(1, "another")));
        assert!(difference(&value, &syntax(1, "Syntax error: a")));
        assert!(difference(&value, &json!({"ok": true, "type": "dyn", "value": {"int": 1}})));
        assert!(difference(&value, &json!({"ok": true, "type": "int", "value": {"uint": 1}})));
        let counted = |cost: u32| json!({"ok": true, "type": "int", "value": {"int": 1}, "cost": cost});
        assert!(difference(&counted(1), &counted(2)));
        assert!(!difference(&counted(1), &counted(1)));
    }
}
