//! An API server that is busy for a while, and says for how long.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use kro_apiserver::User;
use kro_controller::{Client, Controller, Settings};
use kro_serve::ApiService;
use kube_client::client::Body;
use tokio::time::Instant;
use tower_service::Service;

use crate::aggregated::AnyBody;
use crate::{World, until};

/// Seconds that the server wants to be left alone.
const BUSY_S: u64 = 9;

/// Refuses the first list of definitions, and notes when they were asked for.
#[derive(Clone)]
struct Busy {
    inner: ApiService,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Service<Request<Body>> for Busy {
    type Response = Response<AnyBody>;
    type Error = <ApiService as Service<Request<Body>>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<Body>>::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let is_list = request.uri().path().ends_with("/resourcegraphdefinitions")
            && !request.uri().query().unwrap_or_default().contains("watch=");
        if is_list {
            let mut asked = self.asked.lock().unwrap();
            asked.push(Instant::now());
            if asked.len() == 1 {
                // Priority and fairness answers in plain text.
                let text = Full::from("Too many requests, please try again later.");
                let answer = Response::builder().status(429).header("Retry-After", BUSY_S.to_string());
                let answer = answer.body(text.map_err(Into::into).boxed_unsync()).unwrap();
                return Box::pin(async move { Ok(answer) });
            }
        }
        let answer = self.inner.call(request);
        Box::pin(async move { Ok(answer.await?.map(|body| body.map_err(Into::into).boxed_unsync())) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_waits_as_long_as_the_server_asks_for() {
    let world = World::start().await;
    world.create_graph();
    let asked = Arc::default();
    let service = Busy { inner: world.server.in_process(User::admin()), asked: Arc::clone(&asked) };
    let controller = Controller::start(Client::new(service, "default"), Settings::default());
    until("the definition is served", || world.is_there("/apis/kro.run/v1alpha1/namespaces/default/notes")).await;
    let asked = asked.lock().unwrap();
    let pause = asked[1] - asked[0];
    assert!(pause >= Duration::from_secs(BUSY_S) && pause < Duration::from_secs(BUSY_S + 2), "{pause:?}");
    drop(controller);
}
