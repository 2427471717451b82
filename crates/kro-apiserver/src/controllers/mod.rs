//! The controllers of a cluster, simulated: garbage collection, namespaces, workloads, addresses, volumes.
//!
//! Each is a [`Reactor`]: it hears of changes, waits as long as the [`Delays`] say, and writes through the API like any
//! client, under its own name. Nothing here reads a clock, so a test moves a whole cluster through time by calling
//! [`ApiServer::tick`].
//!
//! Annotations on an object change what happens to it: [`DELAY_ANNOTATION`], [`OUTCOME_ANNOTATION`],
//! [`STATUS_ANNOTATION`]. Those of a workload count for its Pods.

mod accounts;
mod addresses;
mod api;
mod cluster_roles;
mod cron_job;
mod daemon_set;
mod delays;
mod deployment;
mod driver;
mod endpoints;
mod garbage;
mod job;
mod known;
mod namespaces;
mod node;
mod object;
mod outcome;
mod parts;
mod pod;
mod queue;
mod replica_set;
mod revisions;
mod scheduler;
mod stateful_set;
mod template;
mod timeline;
mod value_macro;
mod volumes;

pub use self::delays::Delays;
pub use self::outcome::{DELAY_ANNOTATION, OUTCOME_ANNOTATION, STATUS_ANNOTATION};
pub use self::parts::{Options, Part};
pub use self::timeline::Timeline;

use kro_value::Str;

use self::accounts::NamespaceDefaults;
use self::addresses::{IngressAddresses, ServiceLoadBalancers};
use self::api::Api;
use self::cluster_roles::ClusterRoleAggregation;
use self::cron_job::CronJobController;
use self::daemon_set::DaemonSetController;
use self::deployment::DeploymentController;
use self::driver::{Controller, Driver};
use self::endpoints::EndpointSlices;
use self::garbage::GarbageCollector;
use self::job::JobController;
use self::namespaces::NamespaceController;
use self::node::NodeRegistration;
use self::pod::Kubelet;
use self::replica_set::ReplicaSetController;
use self::scheduler::Scheduler;
use self::stateful_set::StatefulSetController;
use self::value_macro::value;
use self::volumes::VolumeBinder;
use crate::{ApiServer, Reactor};

/// Namespace (empty for cluster-scoped objects) and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    namespace: Str,
    name: Str,
}

impl Key {
    fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: Str::new(namespace), name: Str::new(name) }
    }
}

/// Adds the chosen controllers to a server, in an order that is always the same.
pub fn install(server: &mut ApiServer, options: &Options) {
    for part in Part::ALL.into_iter().filter(|part| options.parts.contains(part)) {
        for reactor in reactors(part, options) {
            server.add_reactor(reactor);
        }
    }
    if !options.timelines.is_empty() {
        server.add_reactor(Box::new(timeline::Timelines::new(options.timelines.clone())));
    }
}

fn reactors(part: Part, options: &Options) -> Vec<Box<dyn Reactor>> {
    let delays = options.delays.clone();
    match part {
        Part::GarbageCollection => vec![Box::new(GarbageCollector::new())],
        Part::Namespaces => vec![Box::new(NamespaceController::new())],
        Part::NamespaceDefaults => {
            vec![driver(NamespaceDefaults { root_certificate: options.root_certificate.clone() })]
        }
        Part::ClusterRoles => vec![driver(ClusterRoleAggregation)],
        Part::Nodes => vec![Box::new(NodeRegistration::new())],
        Part::Deployments => vec![driver(DeploymentController)],
        Part::ReplicaSets => vec![driver(ReplicaSetController)],
        Part::StatefulSets => vec![driver(StatefulSetController)],
        Part::DaemonSets => vec![driver(DaemonSetController)],
        Part::Jobs => vec![driver(JobController)],
        Part::CronJobs => vec![driver(CronJobController)],
        Part::Pods => vec![driver(Scheduler { delays: delays.clone() }), driver(Kubelet::new(delays))],
        Part::Endpoints => vec![driver(EndpointSlices { delays })],
        Part::LoadBalancers => vec![driver(ServiceLoadBalancers { delays })],
        Part::Ingresses => vec![driver(IngressAddresses { delays })],
        Part::Volumes => vec![driver(VolumeBinder { delays })],
    }
}

fn driver<C: Controller + 'static>(controller: C) -> Box<dyn Reactor> {
    Box::new(Driver::new(controller))
}
