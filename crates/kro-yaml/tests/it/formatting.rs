//! Texts laid out anew.

use kro_diagnostics::FileId;
use kro_yaml::{format, parse, to_yaml};
use proptest::prelude::*;

fn check(before: &str, after: &str) {
    assert_eq!(format(before).unwrap(), after);
    assert_eq!(format(after).unwrap(), after, "not stable");
}

#[test]
fn levels_lists_and_spaces() {
    check(
        "\n\na:   1   \nb:\n- x\n-   y:  2\n    z:\n        - - 1\n          - 2\n-\n   w: 3\n\n\n\nc: {d:  e}\n",
        "a: 1\nb:\n  - x\n  - y: 2\n    z:\n      - - 1\n        - 2\n  -\n    w: 3\n\nc: {d:  e}\n",
    );
}

#[test]
fn comments_stay_where_they_belong() {
    check(
        "# top\n\na: # right\n    # about b\n    b: 1   # one\n    # was: 2\n# about c\nc:\n# first\n- x\n    # deep\n- y # why\n# end\n",
        "# top\n\na: # right\n  # about b\n  b: 1   # one\n  # was: 2\n# about c\nc:\n  # first\n  - x\n    # deep\n  - y # why\n  # end\n",
    );
}

#[test]
fn values_of_several_lines_keep_their_text() {
    check(
        "a:\n    lit: |\n          one\n            two\n\n          three\n    fold: >-\n     x\n\n\n     y\n    keep: |+\n       z\n\n\n    plain: one\n       two\n    quoted: \"one\\\n         two\n      three\"\n    flow: [1,\n      2,\n      {a: b}]\n",
        "a:\n  lit: |\n    one\n      two\n\n    three\n  fold: >-\n    x\n\n\n    y\n  keep: |+\n    z\n\n\n  plain: one\n    two\n  quoted: \"one\\\n    two\n    three\"\n  flow: [1,\n    2,\n    {a: b}]\n",
    );
}

#[test]
fn streams_tags_and_anchors() {
    check(
        "%YAML 1.1\n---\na:  &x\n    b:  !!str 1\n...\n---   # second\n- *y\n".replace("*y", "z").as_str(),
        "%YAML 1.1\n---\na:  &x\n  b:  !!str 1\n...\n---   # second\n- z\n",
    );
}

#[test]
fn what_cannot_be_laid_out_stays() {
    for text in ["? a\n:   b\n", "a: |2\n    x\n", "", "# only\n"] {
        assert_eq!(format(text).unwrap(), text);
    }
    assert!(format("a: [\n").is_err());
    assert!(format("a: 1\na: 2\n").is_err());
}

proptest! {
    /// Whatever is laid out keeps its values, and laying it out again changes nothing.
    #[test]
    fn formatting_is_stable_and_keeps_values(
        text in "((a|b|- |  |    |: |:|\n|# c|c: |x|\\||>-|\"|'|\\{|\\}|\\[|\\]|,|---|&a |!t |  - |\n\n){1,4}\n?){0,14}",
    ) {
        if let Ok(formatted) = format(&text) {
            prop_assert_eq!(parse(&formatted, FileId(0)).values(), parse(&text, FileId(0)).values());
            prop_assert_eq!(format(&formatted).unwrap(), formatted.clone(), "{:?} gave {:?}", text, formatted);
        }
    }

    /// Written values are laid out with lists indented, and nothing else.
    #[test]
    fn written_values_are_stable(json in "\\{\"a\":(\\[1,\\{\"b\":\"x\\\\ny\"\\}\\]|\\{\"c\":\\[\\[2\\]\\]\\}),\"d\":\"[ -~]{0,6}\"\\}") {
        if let Ok(value) = kro_value::from_json(&json) {
            let formatted = format(&to_yaml(&value)).unwrap();
            prop_assert_eq!(parse(&formatted, FileId(0)).values(), vec![value]);
            prop_assert_eq!(format(&formatted).unwrap(), formatted);
        }
    }
}
