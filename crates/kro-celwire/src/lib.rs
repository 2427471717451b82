//! Questions about expressions and their answers as JSON Lines: the protocol of `kro cel --jsonl`, of the recorded vectors
//! and of the reference oracle, so that one program can be asked in place of the other.
//!
//! A question names an environment and an expression; the answer has its type and value, or the stage that refused it
//! with all messages, places and carets. `docs/cel.md` describes the form.

#![deny(missing_docs)]

mod answer;
mod error;
mod literal;
mod plain;
mod session;
mod typetext;
mod value;
mod world;

pub use answer::{Answer, Question, Stage, ask};
pub use error::WireError;
pub use literal::literal;
pub use session::Session;
pub use typetext::parse_type;
pub use value::{decode, encode, from_plain};
pub use world::{Variables, World, declare_functions, profile};
