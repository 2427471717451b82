use std::fmt::Write as _;

use kro_cel::cost::Prices;
use kro_cel::{Budget, CelValue, EvalContext, Issue, render};
use serde_json::Value;

use crate::World;
use crate::value::{encode, quote};

/// What is asked about an expression.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The expression.
    pub text: &'q str,
    /// Encoded values of variables; for variables with a schema, plain JSON. Anything but an object stands for none.
    pub bindings: &'q Value,
    /// Stop before the evaluation.
    pub check_only: bool,
    /// Evaluate without a check.
    pub disable_check: bool,
    /// Tell what the evaluation cost.
    pub cost: bool,
}

/// How far an expression came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The environment or the bindings could not be built.
    Environment,
    /// The text is no expression.
    Parse,
    /// Names and types do not agree.
    Check,
    /// What can be known before the evaluation is wrong: a constant regular expression, for example.
    Plan,
    /// The evaluation ended in an error.
    Evaluate,
}

impl Stage {
    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "env",
            Self::Parse => "parse",
            Self::Check => "check",
            Self::Plan => "plan",
            Self::Evaluate => "eval",
        }
    }
}

/// What is known about an expression.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Copied from the question.
    pub id: String,
    /// Where it failed; `None` when it did not.
    pub stage: Option<Stage>,
    /// The type, if the expression was checked and is right.
    pub ty: Option<String>,
    /// Issues of the parser or the checker: message, line, column.
    pub errors: Vec<(String, i64, i64)>,
    /// The issues as they are shown, with carets.
    pub rendered: String,
    /// The value.
    pub value: Option<CelValue>,
    /// What planning, evaluation or the environment ended in.
    pub eval_error: Option<String>,
    /// The cost of the evaluation in the units of [`kro_cel::cost`], if asked for.
    pub cost: Option<u64>,
}

impl Answer {
    pub(crate) fn failed(stage: Stage, message: String) -> Self {
        Self { stage: Some(stage), eval_error: Some(message), ..Self::default() }
    }

    fn refused(stage: Stage, text: &str, issues: &[Issue], truncated: usize) -> Self {
        let error = |issue: &Issue| {
            let (line, column) = issue.position(text);
            (issue.message.clone(), line, column)
        };
        let errors = issues.iter().map(error).collect();
        Self { stage: Some(stage), errors, rendered: render(text, issues, truncated), ..Self::default() }
    }

    /// The line of the protocol.
    pub fn to_json(&self) -> String {
        let mut out = format!(r#"{{"id":{},"ok":{}"#, quote(&self.id), self.stage.is_none());
        let mut member = |name: &str, json: Option<String>| {
            if let Some(json) = json {
                let _ = write!(out, ",\"{name}\":{json}");
            }
        };
        member("stage", self.stage.map(|stage| quote(stage.as_str())));
        member("type", self.ty.as_deref().map(quote));
        member("errors", (!self.errors.is_empty()).then(|| self.errors_json()));
        member("text", (!self.rendered.is_empty()).then(|| quote(&self.rendered)));
        member("value", self.value.as_ref().map(encode));
        member("eval_error", self.eval_error.as_deref().map(quote));
        member("cost", self.cost.map(|cost| cost.to_string()));
        out.push('}');
        out
    }

    fn errors_json(&self) -> String {
        let error = |(message, line, column): &(String, i64, i64)| {
            format!(r#"{{"msg":{},"line":{line},"col":{column}}}"#, quote(message))
        };
        format!("[{}]", self.errors.iter().map(error).collect::<Vec<_>>().join(","))
    }
}

/// Parses, checks, plans and evaluates an expression, as far as the question wants it.
pub fn ask(world: &World, question: &Question<'_>) -> Answer {
    let (environment, text) = (&world.environment, question.text);
    let parsed = environment.parse(text);
    if !parsed.errors.is_empty() {
        return Answer::refused(Stage::Parse, text, &parsed.errors, 0);
    }
    let checked = (!question.disable_check).then(|| environment.check(&parsed.ast));
    if let Some(checked) = checked.as_ref().filter(|checked| !checked.errors.is_empty()) {
        return Answer::refused(Stage::Check, text, &checked.errors, checked.truncated);
    }
    let ty = checked.as_ref().map(|checked| checked.result_type().to_string());
    if question.check_only {
        return Answer { ty, ..Answer::default() };
    }
    let program = match question.cost {
        true => environment.plan_counting(&parsed.ast, checked.as_ref(), Prices::Reference),
        false => environment.plan(&parsed.ast, checked.as_ref()),
    };
    let program = match program {
        Ok(program) => program,
        Err(error) => return Answer { ty, ..Answer::failed(Stage::Plan, error.message().to_owned()) },
    };
    let variables = match world.bind(question.bindings) {
        Ok(variables) => variables,
        Err(error) => return Answer { ty, ..Answer::failed(Stage::Environment, error.to_string()) },
    };
    let budget = Budget::default();
    let counting = || EvalContext::counting(budget, u64::MAX);
    let mut context = if question.cost { counting() } else { EvalContext::new(budget) };
    let outcome = program.evaluate_with(&variables, &mut context);
    let cost = question.cost.then(|| context.cost());
    match outcome {
        Ok(value) => Answer { ty, value: Some(value), cost, ..Answer::default() },
        Err(error) => Answer { ty, cost, ..Answer::failed(Stage::Evaluate, error.message().to_owned()) },
    }
}
