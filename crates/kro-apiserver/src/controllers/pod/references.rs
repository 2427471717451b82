use kro_value::Value;

use super::super::known::{CONFIG_MAPS, Known, SECRETS, VOLUME_CLAIMS};
use super::super::{Api, object};

/// What a Pod needs and what is not there.
pub(super) struct Missing {
    /// Needed for a volume, not for an environment variable.
    pub(super) is_volume: bool,
    pub(super) text: String,
}

/// The first ConfigMap, Secret or volume that a Pod cannot start without.
pub(super) fn missing(pod: &Value, api: &Api<'_, '_>) -> Option<Missing> {
    let volumes = object::list(pod, &["spec", "volumes"]).iter();
    if let Some(text) = volumes.filter_map(|volume| missing_of_volume(pod, volume, api)).next() {
        return Some(Missing { is_volume: true, text });
    }
    let containers = ["initContainers", "containers"].into_iter().flat_map(|key| object::list(pod, &["spec", key]));
    let text = containers.filter_map(|container| missing_of_container(pod, container, api)).next()?;
    Some(Missing { is_volume: false, text })
}

fn missing_of_volume(pod: &Value, volume: &Value, api: &Api<'_, '_>) -> Option<String> {
    let name = volume.str_at(&["name"]).unwrap_or_default();
    let mount = |what: String| format!("MountVolume.SetUp failed for volume \"{name}\" : {what}");
    if let Some(claim) = volume.str_at(&["persistentVolumeClaim", "claimName"]) {
        return match api.get(&VOLUME_CLAIMS, object::namespace(pod), claim) {
            None => Some(format!("persistentvolumeclaim \"{claim}\" not found")),
            Some(claim) if claim.str_at(&["status", "phase"]) == Some("Bound") => None,
            Some(_) => Some("pod has unbound immediate PersistentVolumeClaims".to_owned()),
        };
    }
    let own = absent(pod, volume.get("configMap"), "name", &CONFIG_MAPS, api)
        .or_else(|| absent(pod, volume.get("secret"), "secretName", &SECRETS, api));
    let projected = object::list(volume, &["projected", "sources"]).iter().find_map(|source| {
        absent(pod, source.get("configMap"), "name", &CONFIG_MAPS, api)
            .or_else(|| absent(pod, source.get("secret"), "name", &SECRETS, api))
    });
    own.or(projected).map(mount)
}

fn missing_of_container(pod: &Value, container: &Value, api: &Api<'_, '_>) -> Option<String> {
    let all = object::list(container, &["envFrom"]).iter().find_map(|from| {
        absent(pod, from.get("configMapRef"), "name", &CONFIG_MAPS, api)
            .or_else(|| absent(pod, from.get("secretRef"), "name", &SECRETS, api))
    });
    all.or_else(|| {
        object::list(container, &["env"]).iter().find_map(|variable| {
            absent(pod, variable.at(&["valueFrom", "configMapKeyRef"]), "name", &CONFIG_MAPS, api)
                .or_else(|| absent(pod, variable.at(&["valueFrom", "secretKeyRef"]), "name", &SECRETS, api))
        })
    })
}

/// Says what is not there when a reference is not optional: the object, or the key that it names.
fn absent(pod: &Value, reference: Option<&Value>, name: &str, of: &Known, api: &Api<'_, '_>) -> Option<String> {
    let reference = reference.filter(|it| it.get("optional").and_then(Value::as_bool) != Some(true))?;
    let name = reference.str_at(&[name])?;
    let singular = of.plural.trim_end_matches('s');
    let Some(found) = api.get(of, object::namespace(pod), name) else {
        return Some(format!("{singular} \"{name}\" not found"));
    };
    let key = reference.str_at(&["key"])?;
    let has = |part: &str| found.at(&[part, key]).is_some();
    let kind = if *of == SECRETS { "Secret" } else { "ConfigMap" };
    let path = format!("{}/{name}", object::namespace(pod));
    (!has("data") && !has("binaryData")).then(|| format!("couldn't find key {key} in {kind} {path}"))
}
