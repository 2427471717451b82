//! Volumes, claims on them, and their classes.

use kro_apimachinery::FieldError;
use kro_value::Value;

use super::place::{Findings, Place};
use super::{scheduling, volumes};

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const CLAIM_FIXED: &str =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

pub(super) fn claim(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let spec = root.get("spec");
    let modes = spec.get("accessModes");
    modes.require("at least 1 access mode is required");
    access_modes(&modes);
    spec.get("selector").label_selector();
    let storage = spec.at(&["resources", "requests", "storage"]);
    let named = storage.named("spec.resources[storage]");
    match storage.quantity() {
        None => named.required(""),
        Some(quantity) if quantity.sign() <= 0 => named.invalid("must be greater than zero"),
        Some(_) => {}
    }
    spec.get("volumeMode").one_of(&["Block", "Filesystem"]);
    spec.get("storageClassName").if_set(Place::subdomain);
    if let Some(live) = live {
        claim_changes(&spec, &Place::root(live, &findings));
    }
    findings.into_errors()
}

fn access_modes(modes: &Place<'_>) {
    for mode in modes.items() {
        mode.named(&modes.path).one_of(MODES);
    }
    let is_alone = |mode: &Place<'_>| mode.text() == "ReadWriteOncePod";
    if modes.items().len() > 1 && modes.items().iter().any(is_alone) {
        modes.forbidden("may not use ReadWriteOncePod with other access modes");
    }
}

fn claim_changes(spec: &Place<'_>, old: &Place<'_>) {
    let is_bound = old.at(&["status", "phase"]).text() == "Bound";
    let old = old.get("spec");
    let fixed = |spec: &Place<'_>| {
        let mut spec = spec.value.cloned().unwrap_or_default();
        spec.remove_at(&["volumeAttributesClassName"]);
        if is_bound {
            spec.remove_at(&["resources", "requests"]);
        }
        // A claim is bound once.
        if old.get("volumeName").is_empty() {
            spec.remove_at(&["volumeName"]);
        }
        spec
    };
    if fixed(spec) != fixed(&old) {
        spec.forbidden(CLAIM_FIXED);
    }
    let (wanted, had) = (spec.at(&["resources", "requests", "storage"]), old.at(&["resources", "requests", "storage"]));
    if let (true, Some(new), Some(before)) = (is_bound, wanted.quantity(), had.quantity())
        && new.compare(&before).is_lt()
    {
        wanted.forbidden("field can not be less than status.capacity");
    }
}

/// The kinds of volumes that nodes know.
const SOURCES: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flocker",
    "azureFile",
    "vsphereVolume",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "local",
    "storageos",
    "csi",
    "flexVolume",
];

pub(super) fn volume(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    let modes = spec.get("accessModes");
    modes.require("");
    access_modes(&modes);
    capacity(&spec.get("capacity"));
    let given: Vec<Place<'_>> = SOURCES.iter().map(|kind| spec.get(kind)).filter(Place::is_set).collect();
    if given.is_empty() {
        spec.required("must specify a volume type");
    }
    for (index, source) in given.iter().enumerate() {
        if index > 0 {
            source.forbidden("may not specify more than 1 volume type");
        } else if source.path.ends_with("hostPath") {
            volumes::host_path(source);
        } else if source.path.ends_with("nfs") {
            volumes::nfs(source);
        }
    }
    let policy = spec.get("persistentVolumeReclaimPolicy");
    policy.one_of(&["Delete", "Recycle", "Retain"]);
    if spec.at(&["hostPath", "path"]).text() == "/" && policy.text() == "Recycle" {
        policy.forbidden("may not be 'recycle' for a hostPath mount of '/'");
    }
    spec.get("storageClassName").if_set(Place::subdomain);
    spec.get("volumeMode").one_of(&["Block", "Filesystem"]);
    let affinity = spec.get("nodeAffinity");
    if affinity.is_set() {
        let required = affinity.get("required");
        if required.is_set() {
            scheduling::node_selector(&required);
        } else {
            required.required("must specify required node constraints");
        }
    }
    if let Some(live) = live {
        let sources =
            |object: &Value| SOURCES.iter().map(|kind| object.at(&["spec", kind]).cloned()).collect::<Vec<_>>();
        if sources(object) != sources(live) {
            spec.named("spec.persistentvolumesource")
                .forbidden("spec.persistentvolumesource is immutable after creation");
        }
    }
    findings.into_errors()
}

fn capacity(capacity: &Place<'_>) {
    if capacity.is_empty() {
        capacity.required("");
    }
    let amounts = capacity.entries();
    if amounts.len() != 1 || amounts.iter().any(|(name, _)| *name != "storage") {
        let shown = capacity.value.map_or_else(|| "{}".to_owned(), kro_value::to_json);
        capacity.unsupported_raw(shown, &["storage"]);
    }
    for (_, amount) in amounts {
        if amount.quantity().is_some_and(|quantity| quantity.sign() <= 0) {
            amount.invalid("must be greater than zero");
        }
    }
}

pub(super) fn class(object: &Value, live: Option<&Value>) -> Vec<FieldError> {
    let findings = Findings::default();
    let root = Place::root(object, &findings);
    let provisioner = root.get("provisioner");
    if provisioner.require("") {
        let text = provisioner.text().to_ascii_lowercase();
        provisioner.invalid_each(kro_apimachinery::names::qualified_name_errors(&text));
    }
    root.get("reclaimPolicy").one_of(&["Delete", "Retain"]);
    root.get("volumeBindingMode").one_of(&["Immediate", "WaitForFirstConsumer"]);
    let parameters = root.get("parameters");
    if parameters.entries().iter().any(|(key, _)| key.is_empty()) {
        parameters.invalid_as("", "field can not be empty.");
    }
    if let Some(live) = live {
        let old = Place::root(live, &findings);
        for key in ["provisioner", "reclaimPolicy", "volumeBindingMode", "parameters"] {
            root.get(key).immutable(&old.get(key));
        }
    }
    findings.into_errors()
}

pub(super) fn csi_driver(object: &Value) -> Vec<FieldError> {
    let findings = Findings::default();
    let spec = Place::root(object, &findings).get("spec");
    spec.get("fsGroupPolicy").one_of(&["File", "None", "ReadWriteOnceWithFSType"]);
    findings.into_errors()
}
