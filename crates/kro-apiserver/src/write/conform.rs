use kro_apimachinery::Status;
use kro_value::Value;

use super::Call;
use crate::state::State;

impl State {
    /// Makes a decoded object conform to its schema: unknown fields go (or are refused), defaults come.
    pub(super) fn conform(&self, call: &mut Call, object: &mut Value) -> Result<(), Status> {
        if call.resource.id == crate::crd::id() {
            crate::crd::strategy::default(object);
        }
        let _ = call;
        Ok(())
    }
}
