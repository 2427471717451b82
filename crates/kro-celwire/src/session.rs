use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::answer::{Answer, Question, Stage, ask};
use crate::{WireError, World};

/// Answers questions one by one; environments are built once.
#[derive(Debug, Default)]
pub struct Session {
    pub(crate) environments: Map<String, Value>,
    schemas: Map<String, Value>,
    built: BTreeMap<String, Arc<World>>,
}

impl Session {
    /// A session with named environments and named OpenAPI schemas, each a JSON object; an empty text stands for none.
    ///
    /// # Errors
    /// When a text is no JSON object.
    pub fn new(environments: &str, schemas: &str) -> Result<Self, WireError> {
        let environments = object(environments).map_err(|error| error.within("environments"))?;
        let schemas = object(schemas).map_err(|error| error.within("schemas"))?;
        Ok(Self { environments, schemas, built: BTreeMap::new() })
    }

    /// The environment that a question names or describes.
    ///
    /// # Errors
    /// When there is none of the name, or the description cannot be followed.
    pub fn world(&mut self, environment: &Value) -> Result<Arc<World>, WireError> {
        let key = environment.to_string();
        if let Some(known) = self.built.get(&key) {
            return Ok(known.clone());
        }
        let world = Arc::new(World::build(self.describe(environment)?, &self.schemas)?);
        self.built.insert(key, world.clone());
        Ok(world)
    }

    /// The answer to one line, without a line break.
    pub fn answer(&mut self, line: &str) -> String {
        let answer = match serde_json::from_str::<Value>(line) {
            Ok(request) => self.answer_request(&request),
            Err(error) => Answer::failed(Stage::Environment, format!("bad request: {error}")),
        };
        answer.to_json()
    }

    fn answer_request(&mut self, request: &Value) -> Answer {
        let flag = |name: &str| request[name].as_bool() == Some(true);
        let id = request["id"].as_str().unwrap_or_default().to_owned();
        let world = match self.world(&request["env"]) {
            Ok(world) => world,
            Err(error) => return Answer { id, ..Answer::failed(Stage::Environment, error.to_string()) },
        };
        let question = Question {
            text: request["expr"].as_str().unwrap_or_default(),
            bindings: &request["bindings"],
            check_only: flag("check_only"),
            disable_check: flag("disable_check"),
            cost: flag("cost"),
        };
        Answer { id, ..ask(&world, &question) }
    }
}

fn object(text: &str) -> Result<Map<String, Value>, WireError> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let environments = r#"{"typed":{"vars":{"i":"int","o":{"schema_ref":"O"},"l":{"schema_ref":"O","list":true}},
            "bindings":{"i":{"int":7},"o":{"n":3,"s":"x"},"l":[{"n":1},{"n":2}]}}}"#;
        let schemas = r#"{"O":{"type":"object","properties":{"n":{"type":"number"},"s":{"type":"string"}}}}"#;
        Session::new(environments, schemas).unwrap()
    }

    #[test]
    fn answers_have_the_form_of_the_protocol() {
        let mut session = session();
        for (request, answer) in [
            (r#"{"id":"a","expr":"1u + 2u"}"#, r#"{"id":"a","ok":true,"type":"uint","value":{"uint":3}}"#),
            (r#"{"expr":"i","env":"typed","check_only":true}"#, r#"{"id":"","ok":true,"type":"int"}"#),
            (r#"{"expr":"o.n","env":"typed"}"#, r#"{"id":"","ok":true,"type":"double","value":{"double":3}}"#),
            (
                r#"{"expr":"l.map(v, v.n)","env":"typed","bindings":{"l":[{"n":5}]}}"#,
                r#"{"id":"","ok":true,"type":"list(double)","value":[{"double":5}]}"#,
            ),
            (
                r#"{"expr":"o.x","env":"typed"}"#,
                concat!(
                    r#"{"id":"","ok":false,"stage":"check","errors":[{"msg":"undefined field 'x'","line":1,"col":2}],"#,
                    r#""text":"ERROR: <input>:1:2: undefined field 'x'\n | o.x\n | .^"}"#
                ),
            ),
            (
                r#"{"expr":"1/0","disable_check":true}"#,
                r#"{"id":"","ok":false,"stage":"eval","eval_error":"division by zero"}"#,
            ),
            (
                r#"{"id":"b","expr":"x","env":"none"}"#,
                r#"{"id":"b","ok":false,"stage":"env","eval_error":"unknown environment \"none\""}"#,
            ),
            (
                r#"{"expr":"f(1)","env":{"profile":"standard","vars":{"b":"bool"},"funcs":[{"name":"f","overloads":
                    [{"id":"f_int","params":["int"],"result":"list(string)"}]}]},"check_only":true}"#,
                r#"{"id":"","ok":true,"type":"list(string)"}"#,
            ),
        ] {
            assert_eq!(session.answer(request), answer, "{request}");
        }
    }

    #[test]
    fn bad_requests_are_answered() {
        let mut session = session();
        for request in
            ["", "{", "[]", "7", r#"{"env":7}"#, r#"{"env":{"profile":"x"}}"#, r#"{"env":{"vars":{"x":"list"}}}"#]
        {
            assert!(session.answer(request).contains("\"ok\":false"), "{request}");
        }
    }
}
