//! Laws of field managers, and what a real kube-apiserver answered.

mod laws;
mod recorded;
