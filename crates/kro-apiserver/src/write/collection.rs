use std::sync::Arc;

use kro_apimachinery::Status;
use kro_value::Str;

use super::{Call, DeleteOptions, metadata};
use crate::state::State;
use crate::store::Stored;

impl State {
    /// Deletes every object of a selection, which is given by its objects.
    pub(crate) fn delete_collection(
        &mut self,
        call: &mut Call,
        objects: &[Arc<Stored>],
        options: &DeleteOptions,
    ) -> Result<(), Status> {
        for stored in objects {
            call.namespace = Str::new(metadata::text(&stored.value, "namespace"));
            call.name = Str::new(metadata::text(&stored.value, "name"));
            match self.delete(call, options) {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => {}
            }
        }
        Ok(())
    }
}
