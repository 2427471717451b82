use std::time::Duration;

use http::Request;
use http::header::{ACCEPT, USER_AGENT};
use http_body_util::BodyExt;
use kro_manager::{ApiRequest, ApiResponse, Event, ObjectChange, Verb, WatchFailure, WatchId, WatchTarget};
use kro_value::{Str, Value, format_smolstr, from_json_bytes};
use kube_client::Client;
use kube_client::client::Body;

use tokio::time::Instant;

use crate::ControllerError;
use crate::mailbox::Mailbox;
use crate::request::{read, transport};

/// Objects per page of a list.
const PAGE_SIZE: &str = "500";
/// The server ends a watch after this time; it is opened again where it ended.
const WATCH_S: u64 = 290;
/// A line of a watch that is longer than this cannot be an object: etcd takes 1.5 MiB.
const LINE_MAX: usize = 64 << 20;
/// A kind whose CRD was just established is served a moment later.
const RETRY_MIN: Duration = Duration::from_millis(15);
const RETRY_MAX: Duration = Duration::from_secs(30);

/// One watch of the manager: lists, watches, lists again, until its task is ended.
pub(crate) struct Watcher {
    pub(crate) client: Client,
    pub(crate) agent: String,
    pub(crate) id: WatchId,
    pub(crate) target: WatchTarget,
    pub(crate) events: Mailbox,
}

/// Why a watch that was open is not any more.
enum Ending {
    /// Timed out: go on from this version.
    Continue(Str),
    /// The version is too old: list again.
    Expired,
    /// The manager is gone.
    Closed,
}

/// What keeps a watch from going on.
struct Setback {
    failure: WatchFailure,
    /// How long the server wants to be left alone.
    pause: Duration,
}

impl From<ControllerError> for Setback {
    fn from(error: ControllerError) -> Self {
        let failure = WatchFailure { status: 0, message: Str::new(error.to_string()) };
        Self { failure, pause: Duration::ZERO }
    }
}

impl Setback {
    fn of(answer: &ApiResponse) -> Self {
        let told = answer.body.str_at(&["message"]).map(Str::new);
        let message = told.unwrap_or_else(|| format_smolstr!("the API server answers with status {}", answer.status));
        let pause = Duration::from_secs(answer.retry_after_s.unwrap_or_default().into());
        Self { failure: WatchFailure { status: answer.status, message }, pause }
    }
}

impl Watcher {
    /// Runs until the manager is gone; a failure is reported and tried again, with a growing delay, and not before the
    /// server wants to hear of it again.
    pub(crate) async fn run(self) {
        let mut delay = RETRY_MIN;
        loop {
            match self.list_and_watch(&mut delay).await {
                Ok(()) => return,
                Err(Setback { failure, pause }) => {
                    if !self.events.send(Event::WatchFailed { watch: self.id, reason: failure }) {
                        return;
                    }
                    tokio::time::sleep(delay.max(pause)).await;
                    delay = (delay * 2).min(RETRY_MAX);
                }
            }
        }
    }

    /// Ends without an error when the manager is gone.
    async fn list_and_watch(&self, delay: &mut Duration) -> Result<(), Setback> {
        loop {
            let Some(mut version) = self.list().await? else {
                return Ok(());
            };
            *delay = RETRY_MIN;
            loop {
                match self.watch(version).await? {
                    Ending::Continue(newer) => version = newer,
                    Ending::Expired => break,
                    Ending::Closed => return Ok(()),
                }
            }
        }
    }

    /// Hands a whole list in, page by page. The version to watch from; `None` when the manager is gone.
    async fn list(&self) -> Result<Option<Str>, Setback> {
        let mut next = Str::default();
        loop {
            let mut query = vec![("limit", Str::new_static(PAGE_SIZE))];
            if !next.is_empty() {
                query.push(("continue", next));
            }
            let (answer, _) = read(self.get(query, "List").await?).await?;
            if answer.status != 200 {
                return Err(Setback::of(&answer));
            }
            let body = answer.body;
            let objects = kro_engine::object::items_of_list(&body);
            next = Str::new(body.str_at(&["metadata", "continue"]).unwrap_or_default());
            if next.is_empty() {
                let version = Str::new(body.str_at(&["metadata", "resourceVersion"]).unwrap_or_default());
                let listed = Event::Listed { watch: self.id, objects, resource_version: version.clone() };
                return Ok(self.events.send(listed).then_some(version));
            }
            if !self.events.send(Event::ListedPart { watch: self.id, objects }) {
                return Ok(None);
            }
        }
    }

    async fn watch(&self, version: Str) -> Result<Ending, Setback> {
        let query = vec![
            ("watch", Str::new_static("true")),
            ("allowWatchBookmarks", Str::new_static("true")),
            ("timeoutSeconds", format_smolstr!("{WATCH_S}")),
            ("resourceVersion", version.clone()),
        ];
        let response = self.get(query, "").await?;
        match response.status().as_u16() {
            200 => {}
            410 => return Ok(Ending::Expired),
            _ => return Err(Setback::of(&read(response).await?.0)),
        }
        self.read(response.into_body(), version).await
    }

    async fn read(&self, mut body: Body, mut version: Str) -> Result<Ending, Setback> {
        let mut lines = Lines::default();
        let opened = Instant::now();
        let mut broken = false;
        while let Some(frame) = body.frame().await {
            // A broken connection is not an error: the watch goes on from where it was.
            let Ok(frame) = frame else {
                broken = true;
                break;
            };
            let Some(bytes) = frame.data_ref() else { continue };
            for line in lines.push(bytes)? {
                let event = from_json_bytes(&line).map_err(ControllerError::from)?;
                let object = event.get("object").cloned().unwrap_or_default();
                let kind = event.str_at(&["type"]).unwrap_or_default();
                if kind == "ERROR" {
                    return self.end_on_error(&object);
                }
                if let Some(newer) = object.str_at(&["metadata", "resourceVersion"]) {
                    version = Str::new(newer);
                }
                let change = match kind {
                    "ADDED" | "MODIFIED" => ObjectChange::Applied(object),
                    "DELETED" => ObjectChange::Deleted(object),
                    _ => continue,
                };
                if !self.events.send(Event::Object { watch: self.id, change }) {
                    return Ok(Ending::Closed);
                }
            }
        }
        // The pause keeps a server that ends every watch at once from being asked without end.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(if broken || opened.elapsed() >= Duration::from_secs(WATCH_S / 2) {
            Ending::Continue(version)
        } else {
            // The server ended it in order and before its time: the kind has changed. What is stored looks different
            // through a new schema (new defaults), and no event tells of that.
            Ending::Expired
        })
    }

    fn end_on_error(&self, status: &Value) -> Result<Ending, Setback> {
        match status.get("code").and_then(Value::as_i64) {
            Some(410) => Ok(Ending::Expired),
            code => {
                let code = code.and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
                let after = status.at(&["details", "retryAfterSeconds"]).and_then(Value::as_i64);
                let retry_after_s = after.and_then(|seconds| u32::try_from(seconds).ok());
                Err(Setback::of(&ApiResponse { status: code, body: status.clone(), retry_after_s }))
            }
        }
    }

    async fn get(
        &self,
        mut query: Vec<(&'static str, Str)>,
        list: &str,
    ) -> Result<http::Response<Body>, ControllerError> {
        for (name, selector) in
            [("labelSelector", &self.target.label_selector), ("fieldSelector", &self.target.field_selector)]
        {
            if !selector.is_empty() {
                query.push((name, selector.clone()));
            }
        }
        let request = ApiRequest { verb: Verb::Get, path: self.target.path(), query, body: None };
        let accept = if self.target.metadata_only {
            format!("application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1")
        } else {
            "application/json".to_owned()
        };
        let http =
            Request::builder().uri(request.path_and_query()).header(ACCEPT, accept).header(USER_AGENT, &self.agent);
        self.client.send(http.body(Body::empty())?).await.map_err(transport)
    }
}

/// Puts lines together that come in pieces.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that are complete now, without their ends.
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, ControllerError> {
        let mut lines = Vec::new();
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        let mut piece = pieces.next().unwrap_or_default();
        for next in pieces {
            let mut line = std::mem::take(&mut self.rest);
            line.extend_from_slice(piece);
            if !line.is_empty() {
                lines.push(line);
            }
            piece = next;
        }
        self.rest.extend_from_slice(piece);
        if self.rest.len() > LINE_MAX {
            return Err(ControllerError::Transport(format!("a line of a watch has more than {LINE_MAX} bytes")));
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_in_pieces() {
        let mut lines = Lines::default();
        let mut push = |text: &str| -> Vec<String> {
            let lines = lines.push(text.as_bytes()).unwrap();
            lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
        };
        assert_eq!(push("ab"), [""; 0]);
        assert_eq!(push("c\nde\nf"), ["abc", "de"]);
        assert_eq!(push("\n\n"), ["f"]);
    }
}
