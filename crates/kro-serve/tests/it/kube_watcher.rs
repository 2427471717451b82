//! kube-rs, unchanged, on the embedded API: a typed API, server-side apply, and its watcher.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kro_apiserver::{ApiServer, Config, Profile, User};
use kro_serve::{Clock, Server};
use kube_client::api::{Patch, PatchParams, PostParams};
use kube_client::{Api, Client};
use kube_runtime::{WatchStreamExt, watcher};

fn config_map(name: &str, value: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map.data = Some([("k".to_owned(), value.to_owned())].into());
    map
}

#[tokio::test]
async fn a_watcher_sees_what_is_there_and_what_comes() {
    // No controllers: the only ConfigMaps are those of this test.
    let config = Config { profile: Profile::Bare, ..Config::default() };
    let server = Server::new(ApiServer::new(config, Clock::System.now()), Clock::System);
    let client = Client::new(server.in_process(User::admin()), "default");
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    maps.create(&PostParams::default(), &config_map("a", "1")).await.unwrap();
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let mut seen = watcher(maps.clone(), config).applied_objects().boxed();
        let mut next = async || tokio::time::timeout(Duration::from_secs(10), seen.try_next()).await.unwrap().unwrap();
        assert_eq!(next().await.unwrap().metadata.name.as_deref(), Some("a"));
        let applied = config_map("a", &format!("{:?}", std::time::Instant::now()));
        let value = applied.data.clone();
        maps.patch("a", &PatchParams::apply("test").force(), &Patch::Apply(applied)).await.unwrap();
        assert_eq!(next().await.unwrap().data, value);
    }
    assert!(matches!(maps.get("none").await, Err(kube_client::Error::Api(status)) if status.code == 404));
}
