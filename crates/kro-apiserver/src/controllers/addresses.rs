//! Addresses from outside: Services of type LoadBalancer and Ingresses.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kro_value::Value;

use super::delays::after;
use super::driver::Controller;
use super::known::{INGRESSES, Known, SERVICES};
use super::outcome::{Outcome, delay, outcome, with_asked_status};
use super::queue::Queue;
use super::{Api, Delays, Key, object, value};
use crate::{Change, ChangeKind};

/// Gives Services of type LoadBalancer an address.
pub(super) struct ServiceLoadBalancers {
    pub(super) delays: Delays,
}

/// Gives Ingresses an address.
pub(super) struct IngressAddresses {
    pub(super) delays: Delays,
}

impl Controller for ServiceLoadBalancers {
    const NAME: &'static str = "service-lb-controller";
    const WATCHES: &'static [&'static Known] = &[&SERVICES];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        let service = &change.object;
        if change.kind != ChangeKind::Deleted && is_load_balancer(service) == ingress(service).is_empty() {
            // An address takes its time; giving it up does not.
            let usual = if is_load_balancer(service) { self.delays.load_balancer } else { std::time::Duration::ZERO };
            queue.add(object::key(service), after(now, delay(&[service], usual)));
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, _: Timestamp) -> Option<Timestamp> {
        let service = api.get(&SERVICES, &key.namespace, &key.name)?;
        if object::is_terminating(&service) || is_load_balancer(&service) != ingress(&service).is_empty() {
            return None;
        }
        if !is_load_balancer(&service) {
            api.replace_status(&SERVICES, &service, value!({ "loadBalancer": {} }));
        } else if outcome(&[&service]) == Outcome::Succeed {
            let address = free_address(api)?;
            let status = value!({ "loadBalancer": { "ingress": [{ "ip": address, "ipMode": "VIP" }] } });
            api.replace_status(&SERVICES, &service, with_asked_status(&service, status));
            api.event(&service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
        }
        None
    }
}

impl Controller for IngressAddresses {
    const NAME: &'static str = "ingress-controller";
    const WATCHES: &'static [&'static Known] = &[&INGRESSES];

    fn observe(&mut self, change: &Change, now: Timestamp, queue: &mut Queue<Key>) {
        if change.kind != ChangeKind::Deleted && ingress(&change.object).is_empty() {
            let delay = delay(&[&change.object], self.delays.load_balancer);
            queue.add(object::key(&change.object), after(now, delay));
        }
    }

    fn sync(&mut self, key: &Key, api: &mut Api<'_, '_>, _: Timestamp) -> Option<Timestamp> {
        let found = api.get(&INGRESSES, &key.namespace, &key.name)?;
        let idle = object::is_terminating(&found) || !ingress(&found).is_empty();
        if !idle && outcome(&[&found]) == Outcome::Succeed {
            let status = value!({ "loadBalancer": { "ingress": [{ "ip": (free_address(api)?) }] } });
            api.replace_status(&INGRESSES, &found, with_asked_status(&found, status));
        }
        None
    }
}

fn is_load_balancer(service: &Value) -> bool {
    service.str_at(&["spec", "type"]) == Some("LoadBalancer")
}

fn ingress(object: &Value) -> &[Value] {
    object::list(object, &["status", "loadBalancer", "ingress"])
}

/// The lowest address of 198.51.100.0/24 (reserved for documentation) that nothing has; `None` when all are taken.
fn free_address(api: &Api<'_, '_>) -> Option<String> {
    let holders = [&SERVICES, &INGRESSES].into_iter().flat_map(|of| api.list(of, None));
    let taken: BTreeSet<String> = holders
        .flat_map(|holder| ingress(&holder).to_vec())
        .filter_map(|entry| entry.str_at(&["ip"]).map(str::to_owned))
        .collect();
    (1..=254).map(|last| format!("198.51.100.{last}")).find(|address| !taken.contains(address))
}
