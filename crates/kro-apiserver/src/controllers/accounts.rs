//! What every namespace has: the ServiceAccount `default` and the certificate of the API server.

use jiff::Timestamp;
use kro_value::Str;

use super::driver::Controller;
use super::known::{CONFIG_MAPS, Known, NAMESPACES, SERVICE_ACCOUNTS};
use super::queue::Queue;
use super::{Api, Key, object, value};
use crate::Change;

const ACCOUNT: &str = "default";
const CERTIFICATE: &str = "kube-root-ca.crt";
const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions \
of Kubernetes clusters.";

/// Makes them, and again when somebody deletes them.
pub(super) struct NamespaceDefaults {
    /// PEM.
    pub(super) root_certificate: Str,
}

impl Controller for NamespaceDefaults {
    const NAME: &'static str = "service-account-controller";
    const WATCHES: &'static [&'static Known] = &[&NAMESPACES, &SERVICE_ACCOUNTS, &CONFIG_MAPS];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let (name, namespace) = (object::name(&change.object), object::namespace(&change.object));
        if NAMESPACES.is(&change.resource.id) {
            queue.add(Key::new("", name), now);
        } else if name == ACCOUNT || name == CERTIFICATE {
            queue.add(Key::new("", namespace), now);
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, _: Timestamp) -> Option<Timestamp> {
        let namespace = api.get(&NAMESPACES, "", &key.name)?;
        if object::is_terminating(&namespace) {
            return None;
        }
        if api.get(&SERVICE_ACCOUNTS, &key.name, ACCOUNT).is_none() {
            api.create(&SERVICE_ACCOUNTS, &key.name, value!({ "metadata": { "name": ACCOUNT } }));
        }
        let certificate = self.root_certificate.clone();
        match api.get(&CONFIG_MAPS, &key.name, CERTIFICATE) {
            None => {
                let annotations = value!({ "kubernetes.io/description": DESCRIPTION });
                let config_map = value!({
                    "metadata": { "name": CERTIFICATE, "annotations": annotations },
                    "data": { "ca.crt": certificate }
                });
                api.create(&CONFIG_MAPS, &key.name, config_map);
            }
            Some(present) if present.str_at(&["data", "ca.crt"]) != Some(&certificate) => {
                api.patch(&CONFIG_MAPS, &present, &value!({ "data": { "ca.crt": certificate } }));
            }
            Some(_) => {}
        }
        None
    }
}
