use kro_value::Value;

use super::{each, empty_map, fill, member, text};

/// Mode of files in volumes: 0644.
const FILE_MODE: i64 = 420;

pub(super) fn pod(object: &mut Value) {
    member(object, "spec", |spec| {
        pod_spec(spec);
        fill(spec, &["enableServiceLinks"], true);
        for key in ["containers", "initContainers"] {
            each(spec, key, requests_from_limits);
        }
        if spec.get("hostNetwork").and_then(Value::as_bool) == Some(true) {
            for key in ["containers", "initContainers"] {
                each(spec, key, |container| each(container, "ports", host_port));
            }
        }
    });
}

/// A Pod template: `{metadata, spec}`.
pub(super) fn template(template: &mut Value) {
    member(template, "spec", pod_spec);
}

fn pod_spec(spec: &mut Value) {
    fill(spec, &["dnsPolicy"], "ClusterFirst");
    fill(spec, &["restartPolicy"], "Always");
    fill(spec, &["terminationGracePeriodSeconds"], Value::Int(30));
    fill(spec, &["schedulerName"], "default-scheduler");
    fill(spec, &["securityContext"], empty_map());
    for key in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, key, container);
    }
    each(spec, "volumes", volume);
}

fn container(container: &mut Value) {
    let image = text(container, &["image"]);
    fill(container, &["imagePullPolicy"], if is_latest(&image) { "Always" } else { "IfNotPresent" });
    fill(container, &["terminationMessagePath"], "/dev/termination-log");
    fill(container, &["terminationMessagePolicy"], "File");
    fill(container, &["resources"], empty_map());
    each(container, "ports", |port| fill(port, &["protocol"], "TCP"));
    each(container, "env", |variable| member(variable, "valueFrom", field_reference));
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        member(container, key, probe);
    }
    member(container, "lifecycle", |lifecycle| {
        member(lifecycle, "postStart", handler);
        member(lifecycle, "preStop", handler);
    });
}

/// An image without tag or digest, or with the tag `latest`.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn field_reference(source: &mut Value) {
    member(source, "fieldRef", |field| fill(field, &["apiVersion"], "v1"));
}

fn probe(probe: &mut Value) {
    handler(probe);
    member(probe, "grpc", |grpc| fill(grpc, &["service"], ""));
    for (key, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        let unset = probe.get(key).and_then(Value::as_i64).unwrap_or_default() == 0;
        if unset {
            probe.set_at(&[key], Value::Int(value));
        }
    }
}

fn handler(handler: &mut Value) {
    member(handler, "httpGet", |get| {
        fill(get, &["path"], "/");
        fill(get, &["scheme"], "HTTP");
    });
}

fn volume(volume: &mut Value) {
    let has_source = volume.as_map().is_some_and(|map| map.len() > 1);
    if !has_source {
        volume.set_at(&["emptyDir"], empty_map());
    }
    for key in ["secret", "configMap", "downwardAPI", "projected"] {
        member(volume, key, |source| fill(source, &["defaultMode"], Value::Int(FILE_MODE)));
    }
    member(volume, "downwardAPI", |source| each(source, "items", field_reference));
    member(volume, "projected", |projected| each(projected, "sources", projection));
    member(volume, "hostPath", |source| fill(source, &["type"], ""));
    member(volume, "ephemeral", |source| {
        member(source, "volumeClaimTemplate", |claim| {
            member(claim, "spec", |spec| fill(spec, &["volumeMode"], "Filesystem"));
        });
    });
}

fn projection(source: &mut Value) {
    member(source, "serviceAccountToken", |token| fill(token, &["expirationSeconds"], Value::Int(3600)));
    member(source, "downwardAPI", |api| each(api, "items", field_reference));
}

/// Of a resource with a limit and no request, the request is the limit.
fn requests_from_limits(container: &mut Value) {
    let limits = container.at(&["resources", "limits"]).and_then(Value::as_map).cloned().unwrap_or_default();
    for (resource, limit) in &limits {
        fill(container, &["resources", "requests", resource], limit.clone());
    }
}

/// On the host's network a container port is a host port.
fn host_port(port: &mut Value) {
    let own = port.get("containerPort").cloned().unwrap_or_default();
    fill(port, &["hostPort"], own);
}

#[cfg(test)]
mod tests {
    use super::is_latest;

    #[test]
    fn tags() {
        for (image, latest) in
            [("i", true), ("i:latest", true), ("i:1", false), ("r:5000/i", true), ("i@sha256:a", false)]
        {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }
}
