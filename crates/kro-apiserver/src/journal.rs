//! What a host needs to keep a cluster over restarts: the writes, one by one, and a way to begin with their outcome.

use bytes::Bytes;
use kro_value::{Str, Value, from_json_bytes, to_json};

use crate::ChangeKind;
use crate::GroupResource;
use crate::store::Event;

/// One committed write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The resource version of the write; rises from record to record.
    pub revision: u64,
    /// What was written.
    pub resource: GroupResource,
    /// Empty for cluster-scoped objects.
    pub namespace: Str,
    /// The name of the object.
    pub name: Str,
    /// The object as JSON, as it is stored; `None` when it was removed.
    pub object: Option<Bytes>,
}

impl Record {
    pub(crate) fn of(resource: &GroupResource, event: &Event) -> Self {
        let object = (event.kind != ChangeKind::Deleted).then(|| Bytes::from(to_json(&event.object.value)));
        Self {
            revision: event.revision,
            resource: resource.clone(),
            namespace: event.key.namespace.clone(),
            name: event.key.name.clone(),
            object,
        }
    }

    /// The object, when it is one.
    pub(crate) fn value(&self) -> Option<Value> {
        from_json_bytes(self.object.as_ref()?).ok().filter(|value| value.as_map().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiServer, Config, Method, Request, Timestamp};

    const DEFINITION: &str = r#"{"metadata":{"name":"as.x.io"},"spec":{"group":"x.io","scope":"Namespaced","names":{"plural":"as","kind":"A"},
        "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
        "properties":{"spec":{"type":"object","properties":{"a":{"type":"string"}}}}}}}]}}"#;

    fn send(server: &mut ApiServer, method: Method, path: &str, body: &str) -> (u16, Value) {
        let request = Request::new(method, path);
        let request = if body.is_empty() { request } else { request.with_body("application/json", body.to_owned()) };
        let response = server.handle(&request, Timestamp::UNIX_EPOCH);
        (response.status, from_json_bytes(response.bytes()).unwrap_or_default())
    }

    /// Every prefix of the records is a cluster that starts, and the whole of them is the cluster that was.
    #[test]
    fn a_cluster_goes_on_where_its_records_end() {
        let mut server = ApiServer::new(Config::default(), Timestamp::UNIX_EPOCH);
        server.keep_records();
        let mut records = server.take_records();
        assert!(records.len() > 5, "a new cluster's own objects are records too");
        let maps = "/api/v1/namespaces/default/configmaps";
        send(&mut server, Method::Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION);
        let custom = r#"{"apiVersion":"x.io/v1","kind":"A","metadata":{"name":"a"},"spec":{"a":"b"}}"#;
        assert_eq!(send(&mut server, Method::Post, "/apis/x.io/v1/namespaces/default/as", custom).0, 201);
        send(&mut server, Method::Post, maps, r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#);
        send(&mut server, Method::Post, maps, r#"{"metadata":{"name":"b"}}"#);
        send(&mut server, Method::Delete, &format!("{maps}/b"), "");
        server.tick(Timestamp::UNIX_EPOCH);
        records.extend(server.take_records());
        assert!(server.take_records().is_empty());
        for end in 0..records.len() {
            let config = Config { seed: 7, ..Config::default() };
            let mut again = ApiServer::restore(config, &records[..end], Timestamp::UNIX_EPOCH);
            assert_eq!(send(&mut again, Method::Get, maps, "").0, 200, "{end}");
        }
        let mut again = ApiServer::restore(Config { seed: 7, ..Config::default() }, &records, Timestamp::UNIX_EPOCH);
        assert!(again.resource_version() > server.resource_version());
        for path in [format!("{maps}/a"), "/apis/x.io/v1/namespaces/default/as/a".to_owned()] {
            assert_eq!(send(&mut again, Method::Get, &path, ""), send(&mut server, Method::Get, &path, ""));
        }
        assert_eq!(send(&mut again, Method::Get, &format!("{maps}/b"), "").0, 404);
        assert_eq!(send(&mut again, Method::Post, maps, r#"{"metadata":{"name":"b"}}"#).0, 201);
    }
}
