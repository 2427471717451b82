use std::marker::PhantomData;

/// The API as a controller inside the server sees it: reads of the live state, and writes that go the way of every
/// request (admission, managedFields, validation, events).
pub struct Access<'a> {
    server: PhantomData<&'a mut ()>,
}
