use std::collections::BTreeSet;

/// Reads `0-2,5`; what is malformed or absurdly long counts for nothing.
pub(super) fn parse(text: &str) -> BTreeSet<i64> {
    const SPAN_MAX: i64 = 100_000;
    let span = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<i64>().ok()?, last.parse::<i64>().ok()?);
        (first >= 0 && last - first < SPAN_MAX).then_some(first..=last)
    };
    text.split(',').filter_map(span).flatten().collect()
}

/// Writes `0-2,5`; two neighbours are written apart.
pub(super) fn format(indexes: &BTreeSet<i64>) -> String {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for &index in indexes {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => spans.push((index, index)),
        }
    }
    let write = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    spans.iter().map(write).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn spans_round_trip() {
        for text in ["", "0", "0,1", "0-2,5", "1,3-7,9"] {
            assert_eq!(super::format(&super::parse(text)), text);
        }
        assert!(super::parse("x,-1,0-99999999999").is_empty());
    }
}
