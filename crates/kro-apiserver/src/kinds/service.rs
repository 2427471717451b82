//! Addresses and ports of Services.

use std::collections::BTreeSet;

use kro_apimachinery::FieldError;
use kro_value::{Str, Value};

use crate::GroupResource;
use crate::state::State;

/// `10.96.0.0/16`
const PREFIX: [u8; 2] = [10, 96];
const NODE_PORT_FIRST: i64 = 30_000;
const NODE_PORT_LAST: i64 = 32_767;

/// Gives a new or changed Service what it asks for and does not have.
pub(super) fn allocate(state: &mut State, service: &mut Value, old: Option<&Value>) -> Vec<FieldError> {
    let kind = text(service, "type");
    if let Some(old) = old {
        keep(service, old);
    } else {
        let errors = super::validate::network::asked_addresses(service);
        if !errors.is_empty() {
            return errors;
        }
    }
    if kind == "ExternalName" {
        for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            service.remove_at(&["spec", key]);
        }
        return Vec::new();
    }
    let mut errors = allocate_address(state, service, old);
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        errors.extend(allocate_ports(state, service));
    }
    errors
}

/// What a client leaves out of an update stays.
fn keep(service: &mut Value, old: &Value) {
    if text(service, "clusterIP").is_empty() && text(old, "type") != "ExternalName" {
        for key in ["clusterIP", "clusterIPs"] {
            if let Some(value) = old.at(&["spec", key]) {
                service.set_at(&["spec", key], value.clone());
            }
        }
    }
    for key in ["ipFamilies", "ipFamilyPolicy"] {
        if service.at(&["spec", key]).is_none()
            && let Some(value) = old.at(&["spec", key])
        {
            service.set_at(&["spec", key], value.clone());
        }
    }
    if matches!(text(service, "type").as_str(), "NodePort" | "LoadBalancer") {
        keep_node_ports(service, old);
    } else if matches!(text(old, "type").as_str(), "NodePort" | "LoadBalancer") {
        drop_outside(service, old);
    }
}

/// A Service that is not reached from outside any more loses what it had for that, unless the client changed it.
fn drop_outside(service: &mut Value, old: &Value) {
    for key in ["externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort", "loadBalancerClass"] {
        if service.at(&["spec", key]) == old.at(&["spec", key]) {
            service.remove_at(&["spec", key]);
        }
    }
    let known: Vec<i64> =
        old.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default().iter().map(node_port).collect();
    let ports = service.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default().to_vec();
    let without = |mut port: Value| {
        if known.contains(&node_port(&port)) {
            port.remove_at(&["nodePort"]);
        }
        port
    };
    if !ports.is_empty() {
        service.set_at(&["spec", "ports"], ports.into_iter().map(without).collect());
    }
}

fn keep_node_ports(service: &mut Value, old: &Value) {
    let old_ports = old.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default();
    let Some(mut ports) = service.at(&["spec", "ports"]).and_then(Value::as_list).map(<[Value]>::to_vec) else {
        return;
    };
    for port in ports.iter_mut().filter(|port| node_port(port) == 0) {
        let same =
            |other: &&Value| other.get("port") == port.get("port") && other.get("protocol") == port.get("protocol");
        if let Some(known) = old_ports.iter().find(same).map(node_port).filter(|known| *known > 0) {
            port.set_at(&["nodePort"], Value::Int(known));
        }
    }
    service.set_at(&["spec", "ports"], ports.into());
}

fn allocate_address(state: &mut State, service: &mut Value, old: Option<&Value>) -> Vec<FieldError> {
    let asked = text(service, "clusterIP");
    // A change of the address is refused later, by its name.
    let unchanged = old.is_some_and(|old| !text(old, "clusterIP").is_empty() && text(old, "type") != "ExternalName");
    let address = match asked.as_str() {
        "None" => asked.clone(),
        "" => match free_address(state) {
            Some(address) => address,
            None => return vec![internal("failed to allocate a serviceIP: range is full")],
        },
        _ if unchanged => asked.clone(),
        _ => match check_address(state, &asked) {
            Ok(()) => asked.clone(),
            Err(error) => return vec![error],
        },
    };
    service.set_at(&["spec", "clusterIP"], address.clone().into());
    service.set_at(&["spec", "clusterIPs"], Value::list([Value::from(address)]));
    if service.at(&["spec", "ipFamilies"]).is_none() {
        service.set_at(&["spec", "ipFamilies"], Value::list([Value::from("IPv4")]));
    }
    if service.at(&["spec", "ipFamilyPolicy"]).is_none() {
        service.set_at(&["spec", "ipFamilyPolicy"], "SingleStack".into());
    }
    Vec::new()
}

fn check_address(state: &State, address: &Str) -> Result<(), FieldError> {
    let error = |why: &str| {
        let value = Value::list([Value::from(address.clone())]);
        FieldError::invalid("spec.clusterIPs", &value, format!("failed to allocate IP {address}: {why}"))
    };
    match parse(address) {
        Some(octets) if octets[..2] == PREFIX => {}
        _ => return Err(error("the provided network does not match the current range")),
    }
    if addresses(state).contains(address) { Err(error("provided IP is already allocated")) } else { Ok(()) }
}

fn parse(address: &str) -> Option<[u8; 4]> {
    let octets: Vec<u8> = address.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    octets.try_into().ok()
}

fn free_address(state: &mut State) -> Option<Str> {
    const ATTEMPTS_MAX: usize = 256;
    let taken = addresses(state);
    let random = (0..ATTEMPTS_MAX).map(|_| state.random.below(65_279) + 256).collect::<Vec<_>>();
    let all = random.into_iter().chain(256..65_535);
    let text = |number: u64| Str::new(format!("{}.{}.{}.{}", PREFIX[0], PREFIX[1], number >> 8, number & 0xff));
    all.map(text).find(|address| !taken.contains(address))
}

fn allocate_ports(state: &mut State, service: &mut Value) -> Vec<FieldError> {
    let mut taken = node_ports(state, service);
    let mut errors = Vec::new();
    let Some(mut ports) = service.at(&["spec", "ports"]).and_then(Value::as_list).map(<[Value]>::to_vec) else {
        return errors;
    };
    for (index, port) in ports.iter_mut().enumerate() {
        let asked = node_port(port);
        if asked == 0 {
            let start = i64::try_from(state.random.below(2_768)).unwrap_or_default();
            let all = (NODE_PORT_FIRST + start..=NODE_PORT_LAST).chain(NODE_PORT_FIRST..NODE_PORT_FIRST + start);
            if let Some(free) = all.into_iter().find(|free| !taken.contains(free)) {
                taken.insert(free);
                port.set_at(&["nodePort"], Value::Int(free));
            }
            continue;
        }
        let field = format!("spec.ports[{index}].nodePort");
        if !(NODE_PORT_FIRST..=NODE_PORT_LAST).contains(&asked) {
            let detail = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            errors.push(FieldError::invalid(field, &Value::Int(asked), detail));
        } else if !taken.insert(asked) {
            errors.push(FieldError::invalid(field, &Value::Int(asked), "provided port is already allocated"));
        }
    }
    service.set_at(&["spec", "ports"], ports.into());
    errors
}

fn node_port(port: &Value) -> i64 {
    port.get("nodePort").and_then(Value::as_i64).unwrap_or_default()
}

fn services(state: &State) -> impl Iterator<Item = &Value> {
    let table = state.store.table(&GroupResource::new("", "services"));
    table.into_iter().flat_map(|table| table.iter()).map(|(_, stored)| &stored.value)
}

fn addresses(state: &State) -> BTreeSet<Str> {
    services(state).map(|service| text(service, "clusterIP")).collect()
}

/// The node ports of all other Services.
fn node_ports(state: &State, own: &Value) -> BTreeSet<i64> {
    let uid = own.str_at(&["metadata", "uid"]);
    let others = services(state).filter(|service| service.str_at(&["metadata", "uid"]) != uid);
    let ports = others.flat_map(|service| service.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default());
    ports.map(node_port).filter(|port| *port > 0).collect()
}

fn internal(detail: &str) -> FieldError {
    FieldError::new(kro_apimachinery::FieldErrorKind::Internal, "spec.clusterIPs", detail)
}

fn text(service: &Value, key: &str) -> Str {
    service.str_at(&["spec", key]).map(Str::new).unwrap_or_default()
}
