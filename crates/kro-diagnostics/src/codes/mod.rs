//! All codes of diagnostics, one module per stage, each with a title and a page of documentation.
//!
//! A code is added by one line in its stage's module and one page `docs/diagnostics/KROxxxx.md` (what, why, bad,
//! good). The page is compiled in; without it nothing builds. A code that was released is never given to another
//! mistake.

use crate::Code;

/// One row of the table of codes.
#[derive(Debug, Clone, Copy)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// What it means, as a short phrase.
    pub title: &'static str,
    /// The page of documentation, in Markdown.
    pub page: &'static str,
}

/// Declares the codes of a stage: `/// doc` `NAME = 0001 "title";` and the table `ALL` of them.
macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $number:literal $title:literal;)*) => {
        $(
            $(#[$meta])*
            #[allow(clippy::zero_prefixed_literal)]
            pub const $name: $crate::Code = $crate::Code($number);
        )*
        /// The codes of this stage in order.
        pub(super) const ALL: &[super::CodeInfo] = &[$(super::CodeInfo {
            code: $name,
            title: $title,
            page: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../../docs/diagnostics/KRO", stringify!($number), ".md"
            )),
        }),*];
    };
}

pub mod cel;
pub mod evolution;
pub mod graph;
pub mod shape;
pub mod simple;
pub mod typing;
pub mod yaml;

/// The stages in order.
const STAGES: &[&[CodeInfo]] = &[yaml::ALL, shape::ALL, simple::ALL, cel::ALL, graph::ALL, typing::ALL, evolution::ALL];

/// All codes in ascending order.
pub fn all() -> impl Iterator<Item = &'static CodeInfo> {
    STAGES.iter().copied().flatten()
}

/// What is known of a code.
pub fn find(code: Code) -> Option<&'static CodeInfo> {
    all().find(|info| info.code == code)
}

/// The page of documentation of a code, written as `KRO0001`, `kro0001` or `1`.
pub fn explain(code: &str) -> Option<&'static str> {
    let upper = code.trim().to_ascii_uppercase();
    let digits = upper.strip_prefix("KRO").unwrap_or(&upper);
    Some(find(Code(digits.parse().ok()?))?.page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_are_unique() {
        let numbers: Vec<u16> = all().map(|info| info.code.0).collect();
        assert!(numbers.is_sorted_by(|left, right| left < right), "{numbers:?}");
    }

    #[test]
    fn each_page_says_what_why_bad_and_good() {
        for info in all() {
            let heading = format!("# {}: {}\n", info.code, info.title);
            assert!(info.page.starts_with(&heading), "the page of {} must start with {heading:?}", info.code);
            for part in ["\n## What\n", "\n## Why\n", "\n## Bad\n", "\n## Good\n"] {
                assert!(info.page.contains(part), "the page of {} lacks {part:?}", info.code);
            }
        }
    }

    #[test]
    fn explains_a_code_however_it_is_written() {
        let page = explain("KRO0001");
        assert!(page.is_some());
        assert_eq!(page, explain("1"));
        assert_eq!(page, explain(" kro0001"));
        assert_eq!(explain("KRO9999"), None);
        assert_eq!(explain("nonsense"), None);
    }
}
