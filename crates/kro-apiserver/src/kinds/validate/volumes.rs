//! Volumes of Pods.

use kro_apimachinery::names;
use kro_value::Value;

use super::container::{descending_path, field_reference, resource_reference};
use super::place::{Place, Seen};

/// The kinds of volumes, in the order in which a second one is found.
const KINDS: &[&str] = &[
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flexVolume",
    "configMap",
    "rbd",
    "cinder",
    "cephfs",
    "flocker",
    "downwardAPI",
    "fc",
    "azureFile",
    "vsphereVolume",
    "persistentVolumeClaim",
    "quobyte",
    "azureDisk",
    "storageos",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "projected",
    "csi",
    "ephemeral",
    "image",
];
const HOST_PATHS: &[&str] =
    &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const DOWNWARD_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const FILE_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

pub(super) fn all(spec: &Place<'_>) {
    let mut seen = Seen::default();
    for volume in spec.get("volumes").items() {
        let name = volume.get("name");
        if name.require("") {
            let problems = names::dns_label_errors(name.text());
            if problems.is_empty() && !seen.is_new(name.text()) {
                name.duplicate();
            }
            name.invalid_each(problems);
        }
        let given: Vec<Place<'_>> = KINDS.iter().map(|kind| volume.get(kind)).filter(Place::is_set).collect();
        match given.split_first() {
            None => volume.required("must specify a volume type"),
            Some((first, others)) => {
                source(first, spec);
                others.iter().for_each(|other| other.forbidden("may not specify more than 1 volume type"));
            }
        }
    }
}

fn source(source: &Place<'_>, spec: &Place<'_>) {
    match source.path.rsplit('.').next().unwrap_or_default() {
        "emptyDir" => empty(source),
        "hostPath" => host_path(source),
        "nfs" => nfs(source),
        "secret" => {
            source.get("secretName").require("");
            files(source);
        }
        "configMap" => {
            source.get("name").require("");
            files(source);
        }
        "downwardAPI" => downward(source),
        "persistentVolumeClaim" => drop(source.get("claimName").require("")),
        "projected" => projected(source, spec),
        _ => {}
    }
}

fn empty(source: &Place<'_>) {
    let limit = source.get("sizeLimit");
    if limit.quantity().is_some_and(|quantity| quantity.sign() < 0) {
        limit.forbidden("SizeLimit field must be a valid resource quantity");
    }
}

pub(super) fn host_path(source: &Place<'_>) {
    let path = source.get("path");
    if path.require("") && path.text().split('/').any(|part| part == "..") {
        path.invalid("must not contain '..'");
    }
    source.get("type").one_of(HOST_PATHS);
}

pub(super) fn nfs(source: &Place<'_>) {
    source.get("server").require("");
    let path = source.get("path");
    if path.require("") && !path.text().starts_with('/') {
        path.invalid("must be an absolute path");
    }
}

/// Keys that become files.
fn files(source: &Place<'_>) {
    mode(&source.get("defaultMode"));
    for item in source.get("items").items() {
        item.get("key").require("");
        file(&item.get("path"));
        mode(&item.get("mode"));
    }
}

fn mode(mode: &Place<'_>) {
    if mode.int().is_some_and(|bits| !(0..=0o777).contains(&bits)) {
        mode.invalid(FILE_MODE);
    }
}

fn file(path: &Place<'_>) {
    if !path.require("") {
        return;
    }
    descending_path(path);
    if path.text().starts_with("..") && !path.text().starts_with("../") && path.text() != ".." {
        path.invalid("must not start with '..'");
    }
}

fn downward(source: &Place<'_>) {
    mode(&source.get("defaultMode"));
    for item in source.get("items").items() {
        file(&item.get("path"));
        mode(&item.get("mode"));
        let (field, resource) = (item.get("fieldRef"), item.get("resourceFieldRef"));
        if field.is_set() {
            field_reference(&field, DOWNWARD_FIELDS);
            if resource.is_set() {
                source.invalid_as("resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
            }
        } else if resource.is_set() {
            resource.get("containerName").require("");
            resource_reference(&resource);
        } else {
            source.required("one of fieldRef and resourceFieldRef is required");
        }
    }
}

fn projected(source: &Place<'_>, spec: &Place<'_>) {
    const LEAST: i64 = 600;
    mode(&source.get("defaultMode"));
    for part in source.get("sources").items() {
        for kind in ["secret", "configMap"] {
            let inner = part.get(kind);
            if inner.is_set() {
                inner.get("name").require("");
                files(&inner);
            }
        }
        let inner = part.get("downwardAPI");
        if inner.is_set() {
            downward(&inner);
        }
        let token = part.get("serviceAccountToken");
        if !token.is_set() {
            continue;
        }
        if spec.get("serviceAccountName").is_empty() {
            token.forbidden("must not be specified when serviceAccountName is not set");
        }
        let seconds = token.get("expirationSeconds");
        if seconds.int().is_some_and(|seconds| seconds < LEAST) {
            seconds.invalid("may not specify a duration less than 10 minutes");
        }
        token.get("path").named(format!("{}.path", source.path)).require("");
    }
}

/// What is odd about volumes, though allowed.
pub(super) fn warnings(spec: &Value) -> Vec<String> {
    let volumes = spec.get("volumes").and_then(Value::as_list).unwrap_or_default();
    let is_bare = |volume: &&Value| {
        let sources = volume.at(&["projected", "sources"]).and_then(Value::as_list);
        let is_nothing = |source: &Value| source.as_map().is_none_or(kro_value::Map::is_empty);
        volume.get("projected").is_some() && sources.is_none_or(|sources| sources.iter().all(is_nothing))
    };
    let text = |volume: &Value| {
        format!("volume {:?} (Projected) has no sources provided", volume.str_at(&["name"]).unwrap_or_default())
    };
    volumes.iter().filter(is_bare).map(text).collect()
}
