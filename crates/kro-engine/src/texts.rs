//! Texts that many objects have in common, held once.

use std::collections::HashSet;

use kro_value::{Str, Value};

/// How many texts are known at a time.
const TEXTS_MAX: usize = 256;

/// Lets objects of one kind share the long texts of their marks and conditions instead of a copy each. It forgets all that
/// it knows when it is full: what is frequent is soon there again, and what is shared stays shared.
#[derive(Debug, Default)]
pub struct Texts(HashSet<Str>);

impl Texts {
    /// Shares what is worth it.
    pub fn share(&mut self, object: &mut Value) {
        for place in [&["metadata", "labels"][..], &["metadata", "annotations"]] {
            if let Some(marks) = place_of(object, place) {
                self.share_entries(marks);
            }
        }
        let conditions = place_of(object, &["status", "conditions"]).and_then(Value::as_list_mut);
        conditions.into_iter().flatten().for_each(|condition| self.share_entries(condition));
    }

    fn share_entries(&mut self, map: &mut Value) {
        for (_, value) in map.as_map_mut().into_iter().flat_map(kro_value::Map::iter_mut) {
            if let Value::String(text) = value
                && text.is_heap_allocated()
            {
                *text = self.shared(text);
            }
        }
    }

    fn shared(&mut self, text: &Str) -> Str {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        if self.0.len() >= TEXTS_MAX {
            self.0.clear();
        }
        self.0.insert(text.clone());
        text.clone()
    }
}

/// The value at a chain of keys, for changing; nothing is made that is not there.
fn place_of<'a>(object: &'a mut Value, keys: &[&str]) -> Option<&'a mut Value> {
    object.at(keys)?;
    keys.iter().try_fold(object, |place, key| place.as_map_mut()?.get_mut(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(message: &str) -> Value {
        let text = format!(
            r#"{{"metadata":{{"labels":{{"a":"{message}"}}}},"status":{{"conditions":[{{"message":"{message}"}}]}}}}"#
        );
        kro_value::from_json(&text).unwrap()
    }

    fn start(object: &Value, keys: &[&str]) -> *const u8 {
        object.str_at(keys).unwrap().as_ptr()
    }

    #[test]
    fn equal_texts_become_one() {
        let mut texts = Texts::default();
        let long = "a text that does not fit into the place of a pointer";
        let mut objects = [object(long), object(long)];
        objects.iter_mut().for_each(|object| texts.share(object));
        assert_eq!(objects[0], object(long));
        assert_eq!(start(&objects[0], &["metadata", "labels", "a"]), start(&objects[1], &["metadata", "labels", "a"]));
        let message = |object: &Value| object.at(&["status", "conditions"]).unwrap().as_list().unwrap()[0].clone();
        assert_eq!(start(&message(&objects[0]), &["message"]), start(&objects[1], &["metadata", "labels", "a"]));
    }

    #[test]
    fn the_number_of_texts_is_bounded_and_objects_stay_as_they_are() {
        let mut texts = Texts::default();
        for number in 0..1000 {
            let mut one = object(&format!("a text that does not fit into a pointer {number}"));
            let before = one.clone();
            texts.share(&mut one);
            assert_eq!(one, before);
        }
        assert!(texts.0.len() <= TEXTS_MAX);
        let mut empty = Value::Null;
        texts.share(&mut empty);
        assert_eq!(empty, Value::Null);
    }
}
