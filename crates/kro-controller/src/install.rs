use std::time::Duration;

use kro_manager::{ApiRequest, Verb, path};
use kro_value::{Str, Value};
use kube_client::Client;

use crate::ControllerError;
use crate::request::send;

/// Field manager of the definitions that kro installs of itself.
const MANAGER: &str = "kro";
/// The embedded API needs a few milliseconds, a real one some hundred.
const POLL_MIN: Duration = Duration::from_millis(2);
const POLL_MAX: Duration = Duration::from_millis(200);
const POLLS_MAX: usize = 150;

/// Applies CustomResourceDefinitions and waits until the server serves them.
///
/// # Errors
/// When the server cannot be reached, refuses one, or does not establish it within 30 s.
pub async fn install(client: &Client, definitions: &[Value]) -> Result<(), ControllerError> {
    for definition in definitions {
        let name = definition.str_at(&["metadata", "name"]).unwrap_or_default();
        let path = path::object("apiextensions.k8s.io", "v1", None, "customresourcedefinitions", name);
        let query = vec![("fieldManager", Str::new_static(MANAGER)), ("force", Str::new_static("true"))];
        let apply = ApiRequest { verb: Verb::Apply, path: path.clone(), query, body: Some(definition.clone()) };
        let answer = send(client, "kro", &apply).await?;
        if !answer.is_success() {
            return Err(ControllerError::Install { name: name.into(), message: answer.message() });
        }
        wait_established(client, name, path).await?;
    }
    Ok(())
}

async fn wait_established(client: &Client, name: &str, path: String) -> Result<(), ControllerError> {
    let get = ApiRequest { verb: Verb::Get, path, query: Vec::new(), body: None };
    let mut delay = POLL_MIN;
    for _ in 0..POLLS_MAX {
        if is_established(&send(client, "kro", &get).await?.body) {
            return Ok(());
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(POLL_MAX);
    }
    let message = Str::new_static("the API server does not establish it");
    Err(ControllerError::Install { name: name.into(), message })
}

fn is_established(definition: &Value) -> bool {
    let conditions = definition.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    conditions.iter().any(|condition| {
        condition.str_at(&["type"]) == Some("Established") && condition.str_at(&["status"]) == Some("True")
    })
}
