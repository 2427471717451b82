//! Services, what is behind them, and what leads to them.

use kro_apimachinery::{FieldError, names};
use kro_value::Value;

use super::container::PROTOCOLS;
use super::place::{Findings, PORT, Place, Seen, parse_cidr};

const LOOPBACK: &str = "may not be in the loopback range (127.0.0.0/8, ::1/128)";

pub(super) fn service(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let kind = spec.get("type");
    kind.one_of(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    ports(&spec);
    addresses(&spec);
    families(&spec);
    outside(&spec);
    spec.get("selector").labels();
    let affinity = spec.get("sessionAffinity");
    affinity.one_of(&["ClientIP", "None"]);
    let timeout = spec.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
    if affinity.text() == "ClientIP" && timeout.int().is_some_and(|seconds| !(1..=86_400).contains(&seconds)) {
        timeout.invalid("must be greater than 0 and less than 86400");
    }
    spec.get("internalTrafficPolicy").one_of(&["Cluster", "Local"]);
    spec.get("trafficDistribution").one_of(&["PreferClose", "PreferSameZone", "PreferSameNode"]);
    if let Some(live) = live {
        changes(&spec, &Place::root(live, &findings).get("spec"));
    }
    findings.into_errors()
}

fn ports(spec: &Place<'_>) {
    let list = spec.get("ports");
    let (kind, is_headless) = (spec.get("type").text(), spec.get("clusterIP").text() == "None");
    if list.is_empty() && !is_headless && kind != "ExternalName" {
        list.required("");
    }
    let several = list.items().len() > 1;
    let (mut seen, mut places) = (Seen::default(), Seen::default());
    for port in list.items() {
        let name = port.get("name");
        if name.is_empty() && several {
            name.required("");
        } else if !name.is_empty() {
            let problems = names::dns_label_errors(name.text());
            if problems.is_empty() && !seen.is_new(name.text()) {
                name.duplicate();
            }
            name.invalid_each(problems);
        }
        let number = port.get("port");
        if !(1..=65_535).contains(&number.int().unwrap_or_default()) {
            number.invalid_as(number.int().unwrap_or_default(), PORT);
        }
        let protocol = port.get("protocol");
        protocol.require_one_of(PROTOCOLS);
        port.get("targetPort").port();
        port.get("appProtocol").if_set(Place::qualified_name);
        let node_port = port.get("nodePort");
        if kind == "ClusterIP" && node_port.int().is_some_and(|number| number != 0) {
            node_port.forbidden("may not be used when `type` is 'ClusterIP'");
        }
        let (protocol, number) = (protocol.text(), number.int().unwrap_or_default());
        if !places.is_new(&format!("{protocol}/{number}")) {
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol:?},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}"
            );
            port.duplicate_raw(shown, "");
        }
    }
}

fn addresses(spec: &Place<'_>) {
    let kind = spec.get("type").text();
    if kind == "ExternalName" {
        let name = spec.get("externalName");
        if name.require("") {
            let trimmed = name.text().strip_suffix('.').unwrap_or(name.text());
            name.invalid_each(names::subdomain_errors(trimmed));
        }
    }
    for address in spec.get("externalIPs").items() {
        address.ip();
        if is_loopback(address.text()) {
            address.invalid(LOOPBACK);
        }
    }
}

fn is_loopback(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a client says of the addresses of a new Service, before it is given any.
pub(crate) fn asked_addresses(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    asked_families(&spec);
    let (address, addresses) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    let listed: Vec<&str> = addresses.items().iter().map(Place::text).collect();
    let given: Vec<&str> = if listed.is_empty() && !address.is_empty() { vec![address.text()] } else { listed.clone() };
    if spec.get("type").text() == "ExternalName" {
        if !given.is_empty() {
            addresses.forbidden("may not be set for ExternalName services");
        }
        return findings.into_errors();
    }
    if !address.is_empty() && listed.first().is_some_and(|first| *first != address.text()) {
        addresses.invalid("first value must match `clusterIP`");
        return findings.into_errors();
    }
    if given.len() > 1 && given.first() == Some(&"None") {
        addresses.invalid("'None' must be the first and only value");
    }
    let is_single = given.len() == 1;
    for (index, text) in given.iter().enumerate() {
        let place = addresses.named(format!("spec.clusterIPs[{index}]"));
        let is_allowed = *text == "None" && index == 0;
        if is_allowed && is_single && matches!(spec.get("type").text(), "LoadBalancer" | "NodePort") {
            let kind = spec.get("type").text();
            place.invalid_as(*text, format!("may not be set to 'None' for {kind} services"));
        } else if !is_allowed && !super::place::is_ip(text) {
            place.invalid_as(*text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
        }
    }
    findings.into_errors()
}

fn families(spec: &Place<'_>) {
    spec.get("ipFamilies").items().iter().for_each(|family| family.one_of(&["IPv4", "IPv6"]));
    spec.get("ipFamilyPolicy").one_of(&["PreferDualStack", "RequireDualStack", "SingleStack"]);
}

/// What this cluster does not have.
fn asked_families(spec: &Place<'_>) {
    for family in spec.get("ipFamilies").items() {
        if family.text() == "IPv6" {
            family.invalid("not configured on this cluster");
        }
    }
    let policy = spec.get("ipFamilyPolicy");
    if policy.text() == "RequireDualStack" {
        policy.invalid("this cluster is not configured for dual-stack services");
    }
}

/// How a Service is reached from outside.
fn outside(spec: &Place<'_>) {
    let kind = spec.get("type").text();
    let balances = kind == "LoadBalancer";
    let only = "may only be used when `type` is 'LoadBalancer'";
    let ranges = spec.get("loadBalancerSourceRanges").named("spec.LoadBalancerSourceRanges");
    if !ranges.is_empty() {
        if balances {
            ranges.items().iter().for_each(Place::cidr);
        } else {
            ranges.forbidden(only);
        }
    }
    let class = spec.get("loadBalancerClass");
    if class.is_set() {
        if balances {
            class.qualified_name();
        } else {
            class.forbidden(only);
        }
    }
    let allocates = spec.get("allocateLoadBalancerNodePorts");
    match (balances, allocates.is_set()) {
        (true, false) => allocates.required(""),
        (false, true) => allocates.forbidden(only),
        _ => {}
    }
    let policy = spec.get("externalTrafficPolicy");
    let is_reached = balances || kind == "NodePort" || !spec.get("externalIPs").is_empty();
    if policy.is_set() {
        if is_reached {
            policy.one_of(&["Cluster", "Local"]);
        } else {
            policy.invalid("may only be set for externally-accessible services");
        }
    }
    let health = spec.get("healthCheckNodePort");
    if health.int().is_some_and(|port| port != 0) && !(balances && policy.text() == "Local") {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        health.invalid(detail);
    }
}

/// The first address stays while the Service has one.
fn changes(spec: &Place<'_>, old: &Place<'_>) {
    let has_address = |spec: &Place<'_>| spec.get("type").text() != "ExternalName";
    if !has_address(spec) || !has_address(old) {
        return;
    }
    let (new, before) = (spec.get("clusterIPs").items(), old.get("clusterIPs").items());
    if let (Some(new), Some(before)) = (new.first(), before.first())
        && new.text() != before.text()
    {
        new.invalid_as(spec.get("clusterIPs").value.cloned().unwrap_or_default(), "may not change once set");
    }
    let (family, address) = (spec.get("ipFamilies").items(), spec.get("clusterIPs").items());
    if let (Some(family), Some(address)) = (family.first(), address.first())
        && family.text() == "IPv6"
        && address.text().parse::<std::net::Ipv4Addr>().is_ok()
    {
        address.invalid("expected an IPv6 value as indicated by `ipFamilies[0]`");
    }
}

/// Only what a load balancer leads to has its addresses.
pub(super) fn service_status(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let ingress = root.at(&["status", "loadBalancer", "ingress"]);
    if ingress.is_empty() {
        return findings.into_errors();
    }
    if root.at(&["spec", "type"]).text() != "LoadBalancer" {
        ingress.forbidden("may only be used when `spec.type` is 'LoadBalancer'");
        return findings.into_errors();
    }
    for entry in ingress.items() {
        entry.get("ip").if_set(Place::ip);
        entry.get("hostname").if_set(Place::subdomain);
        if entry.get("ip").is_set() && !entry.get("ipMode").is_set() {
            entry.get("ipMode").required("must be specified when `ip` is set");
        }
        entry.get("ipMode").one_of(&["Proxy", "VIP"]);
    }
    findings.into_errors()
}

/// What is odd about a Service, though allowed.
pub(super) fn service_warnings(object: &Value) -> Vec<String> {
    let text = |key: &str| object.str_at(&["spec", key]).unwrap_or_default();
    let mut warnings = Vec::new();
    if !text("externalName").is_empty() && text("type") != "ExternalName" {
        warnings.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if text("trafficDistribution") == "PreferClose" {
        warnings.push("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"".to_owned());
    }
    warnings
}

pub(super) fn ingress(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let spec = root.get("spec");
    let (rules, backend) = (spec.get("rules"), spec.get("defaultBackend"));
    if rules.is_empty() && !backend.is_set() {
        let shown = spec.value.filter(|_| !spec.is_empty()).cloned().unwrap_or_default();
        spec.invalid_as(shown, "either `defaultBackend` or `rules` must be specified");
    }
    if backend.is_set() {
        backend_of(&backend);
    }
    for rule in rules.items() {
        rule.get("host").if_set(host);
        let http = rule.get("http");
        if http.is_set() {
            http.get("paths").require("");
        }
        http.get("paths").items().iter().for_each(path);
    }
    for tls in spec.get("tls").items() {
        for name in tls.get("hosts").items() {
            if name.text().contains('*') {
                name.invalid_each(names::wildcard_errors(name.text()));
            } else {
                name.subdomain();
            }
        }
        tls.get("secretName").if_set(Place::subdomain);
    }
    let class = spec.get("ingressClassName");
    class.if_set(Place::subdomain);
    let annotation = object.str_at(&["metadata", "annotations", "kubernetes.io/ingress.class"]).unwrap_or_default();
    if !annotation.is_empty() && !class.is_empty() && annotation != class.text() {
        let place = root.named("annotations.kubernetes.io/ingress.class");
        place.invalid_as(annotation, "must match `ingressClassName` when both are specified");
    }
    findings.into_errors()
}

fn host(host: &Place<'_>) {
    if super::place::is_ip(host.text()) {
        host.invalid("must be a DNS name, not an IP address");
    }
    if host.text().contains('*') {
        host.invalid_each(names::wildcard_errors(host.text()));
    } else {
        host.subdomain();
    }
}

fn path(entry: &Place<'_>) {
    const FORBIDDEN: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
    const FORBIDDEN_ENDS: &[&str] = &["/..", "/."];
    let (path, kind) = (entry.get("path"), entry.get("pathType"));
    let text = path.text();
    if kind.is_empty() {
        kind.required("pathType must be specified");
    }
    match kind.text() {
        "Exact" | "Prefix" => {
            if !text.starts_with('/') {
                path.invalid_as(text, "must be an absolute path");
            }
            if !text.is_empty() {
                let inside = FORBIDDEN.iter().filter(|part| text.contains(**part));
                inside.for_each(|part| path.invalid(format!("must not contain '{part}'")));
                let ends = FORBIDDEN_ENDS.iter().filter(|part| text.ends_with(**part));
                ends.for_each(|part| path.invalid(format!("cannot end with '{part}'")));
            }
        }
        "ImplementationSpecific" if !text.is_empty() && !text.starts_with('/') => {
            path.invalid("must be an absolute path");
        }
        "" | "ImplementationSpecific" => {}
        _ => kind.unsupported(&["Exact", "ImplementationSpecific", "Prefix"]),
    }
    backend_of(&entry.get("backend"));
}

fn backend_of(backend: &Place<'_>) {
    let (service, resource) = (backend.get("service"), backend.get("resource"));
    if resource.is_set() && service.is_set() {
        return backend.invalid_as("", "cannot set both resource and service backends");
    }
    if resource.is_set() {
        for key in ["kind", "name"] {
            resource.get(key).require("");
        }
        return;
    }
    if !service.is_set() {
        return backend.required("resource or service backend is required");
    }
    let name = service.get("name");
    if name.require("") {
        name.dns_label();
    }
    let (number, port) = (service.at(&["port", "number"]), service.at(&["port", "name"]));
    let has_number = number.int().is_some_and(|number| number != 0);
    if !port.is_empty() && has_number {
        backend.invalid_as("", "cannot set both port name & port number");
    } else if !port.is_empty() {
        port.invalid_each(names::port_name_errors(port.text()));
    } else if has_number {
        number.port();
    } else {
        backend.required("port name or number is required");
    }
}

pub(super) fn ingress_class(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let controller = spec.get("controller");
    if let Some(live) = live {
        controller.immutable(&Place::root(live, &findings).at(&["spec", "controller"]));
        return findings.into_errors();
    }
    if controller.text().len() > 250 {
        controller.named("spec.controller").invalid("must be no more than 250 characters");
    }
    if controller.require("") {
        controller.invalid_each(names::domain_path_errors(controller.text()));
    }
    let parameters = spec.get("parameters");
    if parameters.is_set() {
        for key in ["kind", "name"] {
            parameters.get(key).require("");
        }
    }
    findings.into_errors()
}

pub(super) fn network_policy(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    spec.get("podSelector").label_selector();
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.get(rules).items() {
            rule.get("ports").items().iter().for_each(policy_port);
            rule.get(peers).items().iter().for_each(peer);
        }
    }
    let types = spec.get("policyTypes");
    if types.items().len() > 2 {
        types.invalid("may not specify more than two policyTypes");
        return findings.into_errors();
    }
    types.items().iter().for_each(|kind| {
        if !matches!(kind.text(), "Ingress" | "Egress") {
            kind.unsupported(&["Ingress", "Egress"]);
        }
    });
    findings.into_errors()
}

fn policy_port(entry: &Place<'_>) {
    entry.get("protocol").one_of(&["TCP", "UDP", "SCTP"]);
    let (port, end) = (entry.get("port"), entry.get("endPort"));
    port.port();
    let Some(last) = end.int() else { return };
    match port.value {
        None => end.invalid("may not be specified when `port` is not specified"),
        Some(Value::Int(first)) => {
            if last < *first {
                // The reference shows the port here.
                end.invalid_as(*first, "must be greater than or equal to `port`");
            }
            end.port();
        }
        Some(_) => end.invalid("may not be specified when `port` is non-numeric"),
    }
}

fn peer(peer: &Place<'_>) {
    let (pods, namespaces, block) = (peer.get("podSelector"), peer.get("namespaceSelector"), peer.get("ipBlock"));
    pods.label_selector();
    namespaces.label_selector();
    if block.is_set() {
        ip_block(&block);
    }
    let others = usize::from(pods.is_set()) + usize::from(namespaces.is_set());
    if others == 0 && !block.is_set() {
        peer.required("must specify a peer");
    } else if block.is_set() && others > 0 {
        peer.forbidden("may not specify both ipBlock and another peer");
    }
}

fn ip_block(block: &Place<'_>) {
    let cidr = block.get("cidr");
    if !cidr.require("") {
        return;
    }
    cidr.cidr();
    let Some((network, bits)) = parse_cidr(cidr.text()) else { return };
    for except in block.get("except").items() {
        except.cidr();
        let Some((inner, longer)) = parse_cidr(except.text()) else { continue };
        if longer <= bits || !is_within(inner, network, bits) {
            except.invalid("must be a strict subset of `cidr`");
        }
    }
}

fn is_within(address: std::net::IpAddr, network: std::net::IpAddr, bits: u32) -> bool {
    use std::net::IpAddr::{V4, V6};
    match (address, network) {
        (V4(address), V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (V6(address), V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

pub(super) fn endpoint_slice(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let kind = root.get("addressType");
    if let Some(live) = live {
        kind.immutable(&Place::root(live, &findings).get("addressType"));
        if findings.is_empty() {
            slice(&root, kind.text());
        }
        return findings.into_errors();
    }
    kind.require_one_of(&["FQDN", "IPv4", "IPv6"]);
    slice(&root, kind.text());
    findings.into_errors()
}

fn slice(root: &Place<'_>, kind: &str) {
    for endpoint in root.get("endpoints").items() {
        let addresses = endpoint.get("addresses");
        addresses.require("must contain at least 1 address");
        for address in addresses.items() {
            let is_version =
                |four: bool| address.text().parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_ipv4() == four);
            match kind {
                "FQDN" => address.subdomain(),
                "IPv4" | "IPv6" => {
                    address.ip();
                    if super::place::is_ip(address.text()) && !is_version(kind == "IPv4") {
                        addresses.invalid_as(address.text(), format!("must be an {kind} address"));
                    } else if is_loopback(address.text()) {
                        address.invalid(LOOPBACK);
                    }
                }
                _ => {}
            }
        }
        endpoint.get("hostname").if_set(Place::dns_label);
    }
    let mut seen = Seen::default();
    for port in root.get("ports").items() {
        let name = port.get("name");
        name.if_set(Place::dns_label);
        if !seen.is_new(name.text()) {
            name.duplicate();
        }
        port.get("protocol").require_one_of(PROTOCOLS);
        port.get("appProtocol").if_set(Place::qualified_name);
    }
}

pub(super) fn endpoints(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    for subset in Place::root(object, &findings).get("subsets").items() {
        let (ready, others) = (subset.get("addresses"), subset.get("notReadyAddresses"));
        if ready.is_empty() && others.is_empty() {
            subset.required("must specify `addresses` or `notReadyAddresses`");
        }
        for address in ready.items().iter().chain(&others.items()) {
            let ip = address.get("ip");
            ip.ip();
            if !super::place::is_ip(ip.text()) {
                ip.invalid("must be a valid IP address");
            } else if is_loopback(ip.text()) {
                ip.invalid(LOOPBACK);
            }
            address.get("hostname").if_set(Place::dns_label);
        }
        let several = subset.get("ports").items().len() > 1;
        for port in subset.get("ports").items() {
            let name = port.get("name");
            if name.is_empty() && several {
                name.required("");
            }
            name.if_set(Place::dns_label);
            let number = port.get("port");
            if !(1..=65_535).contains(&number.int().unwrap_or_default()) {
                number.invalid_as(number.int().unwrap_or_default(), PORT);
            }
            port.get("protocol").require_one_of(PROTOCOLS);
        }
    }
    findings.into_errors()
}
