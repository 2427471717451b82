use kro_apimachinery::Status;
use kro_value::Str;

use super::{Attributes, authorize};
use crate::state::State;
use crate::{Request, User};

const AUTHENTICATION: &str = "authentication.k8s.io";

/// The user that a request acts as; `None` when it impersonates nobody.
///
/// # Errors
/// 400 for groups or a uid without a user, 403 when the sender may not impersonate.
pub(crate) fn impersonate(state: &State, request: &Request) -> Result<Option<User>, Status> {
    let headers = &request.headers;
    let name = headers.get("Impersonate-User").unwrap_or_default();
    let groups: Vec<Str> = headers.all("Impersonate-Group").map(Str::new).collect();
    let uid = headers.get("Impersonate-Uid").unwrap_or_default();
    let extra = extra(request);
    if name.is_empty() {
        if groups.is_empty() && uid.is_empty() && extra.is_empty() {
            return Ok(None);
        }
        return Err(Status::bad_request(format!(
            "requested &user.DefaultInfo{{Name:\"\", UID:{uid:?}, Groups:[]string{{{}}}, Extra:map[string][]string(nil)}} without impersonating a user name",
            groups.iter().map(|group| format!("{group:?}")).collect::<Vec<_>>().join(", ")
        )));
    }
    let check = |group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| {
        let attributes = Attributes {
            verb: Str::new_static("impersonate"),
            group: Str::new(group),
            resource: Str::new(resource),
            subresource: Str::new(subresource),
            namespace: Str::new(namespace),
            name: Str::new(name),
            path: Str::default(),
        };
        authorize(state, &request.user, &attributes)
    };
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, account)) => check("", "serviceaccounts", "", namespace, account)?,
        None => check("", "users", "", "", name)?,
    }
    groups.iter().try_for_each(|group| check("", "groups", "", "", group))?;
    if !uid.is_empty() {
        check(AUTHENTICATION, "uids", "", "", uid)?;
    }
    for (key, values) in &extra {
        values.iter().try_for_each(|value| check(AUTHENTICATION, "userextras", key, "", value))?;
    }
    Ok(Some(impersonated(name, account, uid, groups, extra)))
}

fn impersonated(
    name: &str,
    account: Option<(&str, &str)>,
    uid: &str,
    groups: Vec<Str>,
    extra: Vec<(Str, Vec<Str>)>,
) -> User {
    let mut user = match account {
        Some((namespace, account)) if groups.is_empty() => User::service_account(namespace, account),
        _ => User { name: Str::new(name), uid: Str::default(), groups, extra: Vec::new() },
    };
    let everyone = if name == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" };
    if !user.is_in(everyone) {
        user.groups.push(Str::new(everyone));
    }
    user.uid = Str::new(uid);
    user.extra = extra;
    user
}

fn extra(request: &Request) -> Vec<(Str, Vec<Str>)> {
    const PREFIX: &str = "impersonate-extra-";
    let mut extra: Vec<(Str, Vec<Str>)> = Vec::new();
    for (name, value) in request.headers.iter() {
        let name = name.to_ascii_lowercase();
        let Some(key) = name.strip_prefix(PREFIX) else { continue };
        match extra.iter_mut().find(|(known, _)| known == key) {
            Some((_, values)) => values.push(Str::new(value)),
            None => extra.push((Str::new(key), vec![Str::new(value)])),
        }
    }
    extra
}
