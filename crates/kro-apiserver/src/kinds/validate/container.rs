//! Containers of Pods.

use kro_apimachinery::names;
use kro_value::Value;

use super::place::{PORT, Place, Seen};

const USER_MAX: i64 = 2_147_483_647;
pub(super) const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
/// Fields of a Pod that its containers may refer to.
const POD_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const SECURITY_CONTEXT: &[(&str, &str)] = &[
    ("Capabilities", "capabilities"),
    ("Privileged", "privileged"),
    ("SELinuxOptions", "seLinuxOptions"),
    ("WindowsOptions", "windowsOptions"),
    ("RunAsUser", "runAsUser"),
    ("RunAsGroup", "runAsGroup"),
    ("RunAsNonRoot", "runAsNonRoot"),
    ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem"),
    ("AllowPrivilegeEscalation", "allowPrivilegeEscalation"),
    ("ProcMount", "procMount"),
    ("SeccompProfile", "seccompProfile"),
    ("AppArmorProfile", "appArmorProfile"),
];

/// All containers of the spec of a Pod.
pub(super) fn all(spec: &Place<'_>) {
    let containers = spec.get("containers");
    containers.require("");
    let (mut names, mut host_ports) = (Seen::default(), Seen::default());
    for container in containers.items() {
        one(&container, spec, &mut names);
        ports(&container, &mut host_ports);
        lifecycle(&container, spec);
    }
    for container in spec.get("initContainers").items() {
        one(&container, spec, &mut names);
        ports(&container, &mut Seen::default());
        init(&container, spec);
    }
}

fn init(container: &Place<'_>, spec: &Place<'_>) {
    if container.get("restartPolicy").text() == "Always" {
        return lifecycle(container, spec);
    }
    for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
        container
            .get(key)
            .if_set(|place| place.forbidden("may not be set for init containers without restartPolicy=Always"));
    }
}

fn one(container: &Place<'_>, spec: &Place<'_>, seen: &mut Seen) {
    let name = container.get("name");
    if name.require("") {
        let problems = names::dns_label_errors(name.text());
        if problems.is_empty() && !seen.is_new(name.text()) {
            name.duplicate();
        }
        name.invalid_each(problems);
    }
    let image = container.get("image");
    if image.require("") && image.text().trim() != image.text() {
        image.invalid("must not have leading or trailing whitespace");
    }
    container.get("imagePullPolicy").require_one_of(&["Always", "IfNotPresent", "Never"]);
    container.get("terminationMessagePolicy").require_one_of(&["File", "FallbackToLogsOnError"]);
    container.get("env").items().iter().for_each(variable);
    sources(&container.get("envFrom"));
    mounts(container, spec);
    resources(&container.get("resources"), spec);
    security(&container.get("securityContext"));
}

fn ports(container: &Place<'_>, host_ports: &mut Seen) {
    let mut seen = Seen::default();
    for port in container.get("ports").items() {
        let name = port.get("name");
        let problems = if name.is_empty() { Vec::new() } else { names::port_name_errors(name.text()) };
        if !name.is_empty() && problems.is_empty() && !seen.is_new(name.text()) {
            name.duplicate();
        }
        name.invalid_each(problems);
        let number = port.get("containerPort");
        match number.int().unwrap_or_default() {
            0 => number.required(""),
            other if !(1..=65_535).contains(&other) => number.invalid(PORT),
            _ => {}
        }
        port.get("protocol").require_one_of(PROTOCOLS);
        let host = port.get("hostPort");
        let Some(host_port) = host.int().filter(|number| *number != 0) else { continue };
        if !(1..=65_535).contains(&host_port) {
            host.invalid(PORT);
        }
        let key = format!("{}/{}/{host_port}", port.get("protocol").text(), port.get("hostIP").text());
        if !host_ports.is_new(&key) {
            host.duplicate_of(key.as_str());
        }
    }
}

fn variable(variable: &Place<'_>) {
    let name = variable.get("name");
    if name.require("") {
        variable_name(&name);
    }
    let from = variable.get("valueFrom");
    let Some(map) = from.value.and_then(Value::as_map) else { return };
    if map.is_empty() {
        let kinds =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        return from.invalid_as("", kinds);
    }
    if !variable.get("value").is_empty() {
        from.invalid_as("", "may not be specified when `value` is not empty");
    } else if map.len() > 1 {
        from.invalid_as("", "may not have more than one field specified at a time");
    }
    from.get("fieldRef").if_set(|reference| field_reference(reference, POD_FIELDS));
    from.get("resourceFieldRef").if_set(resource_reference);
    for key in ["configMapKeyRef", "secretKeyRef"] {
        let reference = from.get(key);
        if reference.is_set() {
            reference.get("name").subdomain();
            config_key(&reference.get("key"));
        }
    }
}

fn variable_name(name: &Place<'_>) {
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
    if !name.text().bytes().all(is_printable) {
        name.invalid(
            "a valid environment variable name must consist only of printable ASCII characters other than '='",
        );
    }
}

pub(super) fn config_key(key: &Place<'_>) {
    if key.require("") {
        key.invalid_each(names::config_key_errors(key.text()));
    }
}

pub(super) fn field_reference(reference: &Place<'_>, supported: &[&str]) {
    /// What can be selected by, though not referred to.
    const OTHER: &[&str] = &[
        "metadata.labels",
        "metadata.annotations",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.hostNetwork",
        "status.phase",
        "status.nominatedNodeName",
    ];
    reference.get("apiVersion").require("");
    let path = reference.get("fieldPath");
    if !path.require("") || supported.contains(&path.text()) {
        return;
    }
    let is_subscript =
        ["metadata.labels['", "metadata.annotations['"].iter().any(|start| path.text().starts_with(start));
    if is_subscript && path.text().ends_with("']") {
        return;
    }
    if OTHER.contains(&path.text()) || POD_FIELDS.contains(&path.text()) {
        path.unsupported(supported);
    } else {
        path.invalid(format!("error converting fieldPath: field label not supported: {}", path.text()));
    }
}

pub(super) fn resource_reference(reference: &Place<'_>) {
    let resource = reference.get("resource");
    if !resource.require("") || resource.text().contains(".hugepages-") {
        return;
    }
    resource.one_of(RESOURCE_FIELDS);
}

fn sources(list: &Place<'_>) {
    for source in list.items() {
        source.get("prefix").if_set(variable_name);
        let given: Vec<_> =
            ["configMapRef", "secretRef"].map(|key| source.get(key)).into_iter().filter(Place::is_set).collect();
        for reference in &given {
            let name = reference.get("name");
            if name.require("") {
                name.subdomain();
            }
        }
        match given.len() {
            0 => list.invalid_as("", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => list.invalid_as("", "may not have more than one field specified at a time"),
        }
    }
}

fn mounts(container: &Place<'_>, spec: &Place<'_>) {
    let volumes = spec.get("volumes").items();
    let known: Vec<&str> = volumes.iter().map(|volume| volume.get("name").text()).collect();
    let list = container.get("volumeMounts");
    let mut seen = Seen::default();
    for mount in list.items() {
        let name = mount.get("name");
        name.require("");
        if !known.contains(&name.text()) {
            name.not_found("");
        }
        let path = mount.get("mountPath");
        path.require("");
        if !seen.is_new(path.text()) {
            path.invalid("must be unique");
        }
        mount.get("subPath").named(format!("{}.subPath", list.path)).if_set(descending_path);
        let expression = mount.get("subPathExpr");
        if !expression.is_empty() {
            if !mount.get("subPath").is_empty() {
                expression.invalid("subPathExpr and subPath are mutually exclusive");
            }
            descending_path(&expression.named(format!("{}.subPathExpr", list.path)));
        }
        let propagation = mount.get("mountPropagation").named(format!("{}.mountPropagation", list.path));
        propagation.one_of(&["Bidirectional", "HostToContainer", "None"]);
        if propagation.text() == "Bidirectional" && !container.at(&["securityContext", "privileged"]).flag() {
            propagation.forbidden("Bidirectional mount propagation is available only to privileged containers");
        }
    }
}

/// A path inside of something.
pub(super) fn descending_path(path: &Place<'_>) {
    if path.text().starts_with('/') {
        path.invalid("must be a relative path");
    }
    if path.text().split('/').any(|part| part == "..") {
        path.invalid("must not contain '..'");
    }
}

fn lifecycle(container: &Place<'_>, spec: &Place<'_>) {
    let grace = spec.get("terminationGracePeriodSeconds").int().unwrap_or(30);
    for key in ["postStart", "preStop"] {
        let hook = container.at(&["lifecycle", key]);
        if hook.is_set() {
            handler(&hook, grace);
        }
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let place = container.get(key);
        if place.is_set() {
            probe(&place, grace);
            restrict(&place, key);
        }
    }
}

fn restrict(probe: &Place<'_>, key: &str) {
    let (successes, grace) = (probe.get("successThreshold"), probe.get("terminationGracePeriodSeconds"));
    if key == "readinessProbe" {
        if grace.is_set() {
            grace.invalid("must not be set for readinessProbes");
        }
    } else if successes.int().is_some_and(|number| number != 1) {
        successes.invalid("must be 1");
    }
    if key != "readinessProbe" {
        grace.positive("must be greater than 0");
    }
}

fn probe(probe: &Place<'_>, grace: i64) {
    handler(probe, grace);
    for key in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        probe.get(key).non_negative();
    }
}

fn handler(handler: &Place<'_>, grace: i64) {
    let mut is_first = true;
    for kind in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let action = handler.get(kind);
        if !action.is_set() {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            action.forbidden("may not specify more than 1 handler type");
            continue;
        }
        match kind {
            "exec" => drop(action.get("command").require("")),
            "httpGet" => http(&action),
            "sleep" => {
                let seconds = action.get("seconds").int().unwrap_or_default();
                if !(0..=grace).contains(&seconds) {
                    let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                    action.invalid_as(seconds, detail);
                }
            }
            _ => action.get("port").port(),
        }
    }
    if is_first {
        handler.required("must specify a handler type");
    }
}

fn http(action: &Place<'_>) {
    action.get("path").require("");
    action.get("port").port();
    action.get("scheme").one_of(&["HTTP", "HTTPS"]);
    let headers = action.get("httpHeaders");
    for header in headers.items() {
        let name = header.get("name").text();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            headers.invalid_as(name, "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')");
        }
    }
}

fn security(context: &Place<'_>) {
    for key in ["runAsUser", "runAsGroup"] {
        context.get(key).between(0, USER_MAX);
    }
    context.get("procMount").one_of(&["Default", "Unmasked"]);
    if context.get("allowPrivilegeEscalation").value.and_then(Value::as_bool) != Some(false) {
        return;
    }
    if context.get("privileged").flag() {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        context.invalid_raw(context.go_struct(SECURITY_CONTEXT), detail);
    }
    let added = context.at(&["capabilities", "add"]).items();
    if added.iter().any(|capability| capability.text() == "CAP_SYS_ADMIN") {
        let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
        context.invalid_raw(context.go_struct(SECURITY_CONTEXT), detail);
    }
}

/// Numbers of users and groups of the Pod as a whole.
pub(super) fn pod_security(context: &Place<'_>) {
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        context.get(key).between(0, USER_MAX);
    }
    context.get("supplementalGroups").items().iter().for_each(|group| group.between(0, USER_MAX));
    for sysctl in context.get("sysctls").items() {
        let name = sysctl.get("name");
        if name.require("") && !is_sysctl(name.text()) {
            name.invalid("must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = |part: &str| {
        let ends = part.bytes().next().is_some_and(inner) && part.bytes().last().is_some_and(inner);
        ends && part.bytes().all(|byte| inner(byte) || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split(['.', '/']).all(fits)
}

fn resources(resources: &Place<'_>, spec: &Place<'_>) {
    let (limits, requests) = (resources.get("limits"), resources.get("requests"));
    for amounts in [&limits, &requests] {
        amounts.entries().iter().for_each(|(name, amount)| amount_of(name, amount));
    }
    for (name, amount) in requests.entries() {
        let (Some(wanted), limit) = (amount.quantity(), limits.get(name)) else { continue };
        let Some(most) = limit.quantity() else {
            if !can_overcommit(name) {
                limits.required("Limit must be set for non overcommitable resources");
            }
            continue;
        };
        if !can_overcommit(name) && wanted != most {
            requests.invalid_as(amount.text(), format!("must be equal to {name} limit of {}", limit.text()));
        } else if wanted.compare(&most).is_gt() {
            requests
                .invalid_as(amount.text(), format!("must be less than or equal to {name} limit of {}", limit.text()));
        }
    }
    let has = |wanted: &dyn Fn(&str) -> bool| {
        [&limits, &requests].iter().any(|amounts| amounts.entries().iter().any(|(name, _)| wanted(name)))
    };
    if has(&|name| name.starts_with("hugepages-")) && !has(&|name| matches!(name, "cpu" | "memory")) {
        resources.forbidden("HugePages require cpu or memory");
    }
    let claims = spec.get("resourceClaims");
    let known: Vec<&str> = claims
        .value
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|claim| claim.str_at(&["name"]))
        .collect();
    for claim in resources.get("claims").items() {
        let name = claim.get("name");
        if !known.contains(&name.text()) {
            let detail = if known.is_empty() {
                "must be one of the names in pod.spec.resourceClaims which is empty"
            } else {
                "must be one of the names in pod.spec.resourceClaims"
            };
            name.named(&claim.path).not_found(detail);
        }
    }
}

fn amount_of(name: &str, amount: &Place<'_>) {
    amount.named(&amount.path);
    resource_name(name, amount);
    let is_standard = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
    if !name.contains('/') && !is_standard {
        amount.invalid_as(name, "must be a standard resource for containers");
    }
    quantity(name, amount);
}

/// Names of resources are standard ones, or say whose they are.
pub(super) fn resource_name(name: &str, amount: &Place<'_>) {
    const STANDARD: &[&str] = &[
        "configmaps",
        "cpu",
        "ephemeral-storage",
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "memory",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
        "requests.storage",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
        "storage",
    ];
    names::qualified_name_errors(name).into_iter().for_each(|detail| amount.invalid_as(name, detail));
    let is_standard =
        STANDARD.contains(&name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-");
    if !name.contains('/') && !is_standard {
        amount.invalid_as(name, "must be a standard resource type or fully qualified");
    }
}

/// Amounts are not negative, and whole where things are counted.
pub(super) fn quantity(name: &str, amount: &Place<'_>) {
    let Some(quantity) = amount.quantity() else { return };
    if quantity.sign() < 0 {
        amount.invalid(super::place::NEGATIVE);
    }
    let is_counted = (name.contains('/') && !name.starts_with("kubernetes.io/"))
        || matches!(
            name,
            "pods"
                | "services"
                | "replicationcontrollers"
                | "resourcequotas"
                | "secrets"
                | "configmaps"
                | "persistentvolumeclaims"
                | "services.nodeports"
                | "services.loadbalancers"
        );
    if is_counted && quantity.as_f64().fract() != 0.0 {
        amount.invalid("must be an integer");
    }
}

fn can_overcommit(name: &str) -> bool {
    !name.contains('/') && !name.starts_with("hugepages-")
}
