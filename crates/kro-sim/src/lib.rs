//! The manager on the embedded API, with a virtual clock and injected faults.
