//! "Did you mean": the known name that is nearest to an unknown one.

/// The candidate that the name is probably a slip of; `None` when none is near.
///
/// Near means: equal but for case and the signs `-` and `_`, or at most a third of the name's characters (one at
/// least, three at most) put in, left out, replaced or swapped with a neighbour. Of equally near ones the first wins.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = fold(name);
    let limit = (wanted.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let folded = fold(candidate);
        if folded.len().abs_diff(wanted.len()) > limit {
            continue;
        }
        let distance = distance(&wanted, &folded);
        let near = distance <= limit && distance < wanted.len().max(1);
        if near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The help line for an unknown name: `did you mean "x"?`.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest(name, candidates).map(|near| format!("did you mean {near:?}?"))
}

fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|character| !matches!(character, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// The number of single-character edits, neighbours swapped counting as one (optimal string alignment).
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.iter().enumerate() {
        let mut here = Vec::with_capacity(right.len() + 1);
        here.push(row + 1);
        for (column, to) in right.iter().enumerate() {
            let replaced = above[column] + usize::from(from != to);
            let mut least = replaced.min(above[column + 1] + 1).min(here[column] + 1);
            if row > 0 && column > 0 && *from == right[column - 1] && left[row - 1] == *to {
                least = least.min(before[column - 1] + 1);
            }
            here.push(least);
        }
        before = std::mem::replace(&mut above, here);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_nothing_else() {
        let names = ["replicas", "selector", "template", "spec", "list_type", "a"];
        for (name, expected) in [
            ("replicass", Some("replicas")),
            ("repilcas", Some("replicas")),
            ("Replicas", Some("replicas")),
            ("sepc", Some("spec")),
            ("listType", Some("list_type")),
            ("tmplate", Some("template")),
            ("entirelyElse", None),
            ("b", None),
            ("", None),
            ("spec", None),
        ] {
            assert_eq!(suggest(name, names), expected, "{name}");
        }
    }

    #[test]
    fn the_nearest_wins_and_of_equals_the_first() {
        assert_eq!(suggest("foobarx", ["foobaryy", "foobar"]), Some("foobar"));
        assert_eq!(suggest("abcx", ["abcy", "abcz"]), Some("abcy"));
    }
}
