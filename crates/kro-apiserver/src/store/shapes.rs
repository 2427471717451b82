use std::collections::VecDeque;

use kro_value::Value;

/// How many parts are remembered.
const RECENT: usize = 32;

/// Parts that objects of one kind tend to have in common: labels, and what managedFields say. Objects that are made by the
/// dozen share them in memory.
#[derive(Default)]
pub(super) struct Shapes {
    recent: VecDeque<Value>,
}

impl Shapes {
    /// Makes an object that is about to be stored small.
    pub(super) fn compact(&mut self, object: &mut Value) {
        if let Some(metadata) = object.as_map_mut().and_then(|object| object.get_mut("metadata")) {
            for key in ["annotations", "labels"] {
                metadata.as_map_mut().and_then(|map| map.get_mut(key)).into_iter().for_each(|part| {
                    self.share(part);
                });
            }
            if let Some(books) = metadata.as_map_mut().and_then(|map| map.get_mut("managedFields")) {
                self.share_books(books);
            }
        }
        object.shrink();
    }

    fn share_books(&mut self, books: &mut Value) {
        if self.knows(books) {
            return;
        }
        for entry in books.as_list_mut().into_iter().flatten() {
            if self.knows(entry) {
                continue;
            }
            if let Some(fields) = entry.as_map_mut().and_then(|entry| entry.get_mut("fieldsV1")) {
                self.share(fields);
            }
            self.share(entry);
        }
        self.share(books);
    }

    /// Puts the equal part that is remembered in the place of this one, or remembers it.
    fn share(&mut self, part: &mut Value) {
        if !self.knows(part) {
            part.shrink();
            self.recent.push_front(part.clone());
            self.recent.truncate(RECENT);
        }
    }

    fn knows(&mut self, part: &mut Value) -> bool {
        let known = self.recent.iter().find(|known| *known == part).cloned();
        known.map(|known| *part = known).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kro_value::from_json;

    #[test]
    fn equal_parts_are_one() {
        let make = |name: &str| {
            let text = format!(
                r#"{{"metadata":{{"name":"{name}","labels":{{"a":"b"}},"managedFields":[{{"manager":"m","fieldsV1":{{"f:data":{{}}}}}}]}}}}"#
            );
            from_json(&text).unwrap()
        };
        let mut shapes = Shapes::default();
        let (mut first, mut second) = (make("x"), make("y"));
        shapes.compact(&mut first);
        shapes.compact(&mut second);
        assert_eq!((&first, &second), (&make("x"), &make("y")));
        for path in [["metadata", "labels"], ["metadata", "managedFields"]] {
            assert!(first.at(&path).unwrap().same(second.at(&path).unwrap()), "{path:?}");
        }
    }
}
