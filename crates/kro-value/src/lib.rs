//! JSON values that are cheap to clone, field paths and quantities.
//!
//! Everything kro computes on (templates, live objects, results of expressions, request bodies) is a [`Value`].
//! Strings and containers are shared, so a clone costs a reference count, and an unchanged part of an object is the
//! same memory before and after a change. Map keys are always sorted by bytes, as Go's encoder prints them, so the
//! compact text of a value is its canonical form.

mod json;
mod map;
mod path;
mod quantity;
mod text;
mod value;

pub use json::{JsonError, from_json, from_json_bytes, to_json, to_json_pretty, write_json};
pub use map::Map;
pub use path::{FieldPath, ParsePathError, Segment};
pub use quantity::{Quantity, QuantityError};
pub use smol_str::{SmolStr as Str, SmolStrBuilder as StrBuilder, format_smolstr};
pub use text::same_text;
pub use value::{List, Value};
