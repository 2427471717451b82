use std::fmt;
use std::sync::Arc;

use kro_value::{FieldPath, Segment, Str, Value};

use super::definitions::NodeSource;
use super::node::{Additional, ListType, MapType, Node, SchemaType};

/// References that lead to references; more than Kubernetes ever uses.
const REFERENCE_HOPS_MAX: usize = 16;

/// An immutable, shared schema. Cloning costs reference counts.
///
/// References are followed on access: `property`, `items` and the like return the referenced schema, with what the
/// referring field says itself (description, default, map type, ...) laid over it. Recursive definitions are fine,
/// because nothing is expanded before it is asked for; a walk over all schemas must bound itself, best by
/// [`Schema::reference`].
#[derive(Clone)]
pub struct Schema {
    node: Arc<Node>,
    /// The schema that referred to `node`; its keywords win.
    site: Option<Arc<Node>>,
    name: Option<Str>,
    source: Option<Arc<dyn NodeSource>>,
}

/// What a schema says of keys that are no declared property.
#[derive(Debug, Clone)]
pub enum AdditionalProperties {
    /// Nothing.
    Absent,
    /// `true` or `false`.
    Allowed(bool),
    /// The schema of each such key's value.
    Schema(Schema),
}

/// An entry of `x-kubernetes-group-version-kind`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionKind {
    /// API group; empty for the core group.
    pub group: Str,
    /// Version.
    pub version: Str,
    /// Kind.
    pub kind: Str,
}

/// An entry of `x-kubernetes-validations`. Texts are empty when absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The CEL expression.
    pub rule: Str,
    /// What to say when it is false.
    pub message: Str,
    /// A CEL expression that gives the message.
    pub message_expression: Str,
    /// `FieldValueInvalid`, `FieldValueForbidden`, `FieldValueRequired` or `FieldValueDuplicate`.
    pub reason: Str,
    /// Where the error is reported, relative to the rule's place, as `.spec.x`.
    pub field_path: Str,
    /// Whether `oldSelf` is an optional and the rule also runs without an old value.
    pub optional_old_self: Option<bool>,
}

impl Schema {
    /// Parses a schema without outside references. Keywords of the wrong JSON type count as absent.
    pub fn from_json(json: &Value) -> Self {
        Self::resolve(Node::parse(json), None)
    }

    /// The schema as JSON: as written, references not expanded, the referring field's keywords laid over.
    pub fn to_json(&self) -> Value {
        let Some(site) = self.site.as_ref().and_then(|site| site.json.as_map()) else { return self.node.json.clone() };
        let mut json = self.node.json.clone();
        for (key, value) in site.iter().filter(|(key, _)| !matches!(key.as_str(), "$ref" | "allOf")) {
            json.ensure_map().insert(key.clone(), value.clone());
        }
        json
    }

    /// The name of the definition that this schema is; `None` for a schema written in place.
    pub fn reference(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// True when both are the same schema in memory (not: schemas of equal content).
    pub fn same(&self, other: &Self) -> bool {
        let site = |schema: &Self| schema.site.as_ref().map(Arc::as_ptr);
        Arc::ptr_eq(&self.node, &other.node) && site(self) == site(other)
    }

    /// The raw value of any keyword.
    pub fn keyword(&self, name: &str) -> Option<&Value> {
        self.site.as_ref().and_then(|site| site.keyword(name)).or_else(|| self.node.keyword(name))
    }

    /// `type`; `None` when absent, as with int-or-string and free-form values.
    pub fn schema_type(&self) -> Option<SchemaType> {
        self.node.schema_type
    }

    /// A declared property.
    pub fn property(&self, name: &str) -> Option<Schema> {
        self.node.property(name).map(|node| self.child(node))
    }

    /// The declared properties in order of their names.
    pub fn properties(&self) -> impl ExactSizeIterator<Item = (&Str, Schema)> {
        self.node.properties.iter().map(|(name, node)| (name, self.child(node)))
    }

    /// Names of the declared properties in order.
    pub fn property_names(&self) -> impl ExactSizeIterator<Item = &Str> {
        self.node.properties.iter().map(|(name, _)| name)
    }

    /// True with at least one declared property.
    pub fn has_properties(&self) -> bool {
        !self.node.properties.is_empty()
    }

    /// The schema of any key: the property, or else that of `additionalProperties`.
    pub fn field(&self, name: &str) -> Option<Schema> {
        self.property(name).or_else(|| match self.additional_properties() {
            AdditionalProperties::Schema(schema) => Some(schema),
            _ => None,
        })
    }

    /// The schema of the value at a path, through properties, additional properties and items.
    pub fn at_path(&self, path: &FieldPath) -> Option<Schema> {
        path.segments().iter().try_fold(self.clone(), |schema, segment| match segment {
            Segment::Field(name) => schema.field(name),
            Segment::Index(_) => schema.items(),
        })
    }

    /// `items`
    pub fn items(&self) -> Option<Schema> {
        self.node.items.as_ref().map(|node| self.child(node))
    }

    /// `additionalProperties`
    pub fn additional_properties(&self) -> AdditionalProperties {
        match &self.node.additional {
            Additional::Absent => AdditionalProperties::Absent,
            Additional::Allowed(allowed) => AdditionalProperties::Allowed(*allowed),
            Additional::Node(node) => AdditionalProperties::Schema(self.child(node)),
        }
    }

    /// Names under `required`.
    pub fn required(&self) -> &[Str] {
        &self.node.required
    }

    /// True when the property is under `required`.
    pub fn is_required(&self, name: &str) -> bool {
        self.node.required.iter().any(|required| required == name)
    }

    /// Schemas under `allOf` (without one that is only a reference).
    pub fn all_of(&self) -> impl ExactSizeIterator<Item = Schema> {
        self.node.all_of().iter().map(|node| self.child(node))
    }

    /// Schemas under `anyOf`.
    pub fn any_of(&self) -> impl ExactSizeIterator<Item = Schema> {
        self.node.any_of().iter().map(|node| self.child(node))
    }

    /// Schemas under `oneOf`.
    pub fn one_of(&self) -> impl ExactSizeIterator<Item = Schema> {
        self.node.one_of().iter().map(|node| self.child(node))
    }

    /// `not`
    pub fn not(&self) -> Option<Schema> {
        self.node.not().map(|node| self.child(node))
    }

    /// Values under `enum`; empty when absent.
    pub fn enum_values(&self) -> &[Value] {
        self.keyword("enum").and_then(Value::as_list).unwrap_or_default()
    }

    /// `default`
    pub fn default_value(&self) -> Option<&Value> {
        self.keyword("default")
    }

    /// `nullable`
    pub fn nullable(&self) -> bool {
        self.flag("nullable")
    }

    /// `title`
    pub fn title(&self) -> Option<&str> {
        self.text("title")
    }

    /// `description`
    pub fn description(&self) -> Option<&str> {
        self.text("description")
    }

    /// `format`
    pub fn format(&self) -> Option<&str> {
        self.text("format")
    }

    /// `pattern`, an unanchored RE2 expression.
    pub fn pattern(&self) -> Option<&str> {
        self.text("pattern")
    }

    /// The compiled `pattern`; `None` when absent or outside RE2.
    pub fn pattern_regex(&self) -> Option<&regex::Regex> {
        let compile = || self.node.json.get("pattern")?.as_str().and_then(|text| regex::Regex::new(text).ok());
        self.node.pattern.get_or_init(|| compile().map(Box::new)).as_deref()
    }

    /// `minimum`, a number.
    pub fn minimum(&self) -> Option<&Value> {
        self.keyword("minimum")
    }

    /// `maximum`, a number.
    pub fn maximum(&self) -> Option<&Value> {
        self.keyword("maximum")
    }

    /// `exclusiveMinimum`: the minimum itself is refused.
    pub fn exclusive_minimum(&self) -> bool {
        self.flag("exclusiveMinimum")
    }

    /// `exclusiveMaximum`: the maximum itself is refused.
    pub fn exclusive_maximum(&self) -> bool {
        self.flag("exclusiveMaximum")
    }

    /// `multipleOf`, a number.
    pub fn multiple_of(&self) -> Option<&Value> {
        self.keyword("multipleOf")
    }

    /// `minLength`, in characters.
    pub fn min_length(&self) -> Option<i64> {
        self.integer("minLength")
    }

    /// `maxLength`, in characters.
    pub fn max_length(&self) -> Option<i64> {
        self.integer("maxLength")
    }

    /// `minItems`
    pub fn min_items(&self) -> Option<i64> {
        self.integer("minItems")
    }

    /// `maxItems`
    pub fn max_items(&self) -> Option<i64> {
        self.integer("maxItems")
    }

    /// `minProperties`
    pub fn min_properties(&self) -> Option<i64> {
        self.integer("minProperties")
    }

    /// `maxProperties`
    pub fn max_properties(&self) -> Option<i64> {
        self.integer("maxProperties")
    }

    /// `uniqueItems`
    pub fn unique_items(&self) -> bool {
        self.flag("uniqueItems")
    }

    /// `x-kubernetes-list-type`
    pub fn list_type(&self) -> Option<ListType> {
        match self.text("x-kubernetes-list-type")? {
            "atomic" => Some(ListType::Atomic),
            "set" => Some(ListType::Set),
            "map" => Some(ListType::Map),
            _ => None,
        }
    }

    /// `x-kubernetes-list-map-keys`, as written; empty when absent.
    pub fn list_map_keys(&self) -> &[Str] {
        match &self.site {
            Some(site) if !site.list_map_keys().is_empty() => site.list_map_keys(),
            _ => self.node.list_map_keys(),
        }
    }

    /// `x-kubernetes-map-type`
    pub fn map_type(&self) -> Option<MapType> {
        match self.text("x-kubernetes-map-type")? {
            "atomic" => Some(MapType::Atomic),
            "granular" => Some(MapType::Granular),
            _ => None,
        }
    }

    /// `x-kubernetes-patch-strategy`: `merge`, `replace`, `retainKeys` or several with commas.
    pub fn patch_strategy(&self) -> Option<&str> {
        self.text("x-kubernetes-patch-strategy")
    }

    /// True when the patch strategy contains `strategy`.
    pub fn has_patch_strategy(&self, strategy: &str) -> bool {
        self.patch_strategy().is_some_and(|all| all.split(',').any(|one| one == strategy))
    }

    /// `x-kubernetes-patch-merge-key`
    pub fn patch_merge_key(&self) -> Option<&str> {
        self.text("x-kubernetes-patch-merge-key")
    }

    /// `x-kubernetes-int-or-string`, or the format `int-or-string` of the built-ins.
    pub fn int_or_string(&self) -> bool {
        self.flag("x-kubernetes-int-or-string") || self.format() == Some("int-or-string")
    }

    /// `x-kubernetes-preserve-unknown-fields`
    pub fn preserve_unknown_fields(&self) -> bool {
        self.flag("x-kubernetes-preserve-unknown-fields")
    }

    /// `x-kubernetes-embedded-resource`
    pub fn embedded_resource(&self) -> bool {
        self.flag("x-kubernetes-embedded-resource")
    }

    /// `x-kubernetes-validations`; empty when absent.
    pub fn validations(&self) -> Vec<Rule> {
        let rules = self.keyword("x-kubernetes-validations").and_then(Value::as_list).unwrap_or_default();
        rules.iter().map(rule).collect()
    }

    /// `x-kubernetes-group-version-kind`; empty when absent.
    pub fn group_version_kinds(&self) -> Vec<GroupVersionKind> {
        let text = |entry: &Value, key| Str::new(entry.get(key).and_then(Value::as_str).unwrap_or_default());
        let entries = self.keyword("x-kubernetes-group-version-kind").and_then(Value::as_list).unwrap_or_default();
        let gvk = |entry| GroupVersionKind {
            group: text(entry, "group"),
            version: text(entry, "version"),
            kind: text(entry, "kind"),
        };
        entries.iter().map(gvk).collect()
    }

    /// Follows the reference of a node, if it is one.
    pub(super) fn resolve(node: Arc<Node>, source: Option<&Arc<dyn NodeSource>>) -> Self {
        let site = Arc::clone(&node);
        let mut schema = Self { node, site: None, name: None, source: source.cloned() };
        for _ in 0..REFERENCE_HOPS_MAX {
            let Some(name) = schema.node.reference.clone() else { break };
            let Some(target) = source.and_then(|source| source.node(&name)) else { break };
            schema.node = target;
            schema.name = Some(name);
            schema.site = Some(Arc::clone(&site));
        }
        schema
    }

    pub(super) fn named(mut self, name: &str) -> Self {
        self.name.get_or_insert_with(|| Str::new(name));
        self
    }

    fn child(&self, node: &Arc<Node>) -> Schema {
        Self::resolve(Arc::clone(node), self.source.as_ref())
    }

    fn text(&self, keyword: &str) -> Option<&str> {
        self.keyword(keyword)?.as_str()
    }

    fn flag(&self, keyword: &str) -> bool {
        self.keyword(keyword).and_then(Value::as_bool).unwrap_or_default()
    }

    fn integer(&self, keyword: &str) -> Option<i64> {
        self.keyword(keyword)?.as_i64()
    }
}

fn rule(json: &Value) -> Rule {
    let text = |key| Str::new(json.get(key).and_then(Value::as_str).unwrap_or_default());
    Rule {
        rule: text("rule"),
        message: text("message"),
        message_expression: text("messageExpression"),
        reason: text("reason"),
        field_path: text("fieldPath"),
        optional_old_self: json.get("optionalOldSelf").and_then(Value::as_bool),
    }
}

/// Equal when both say the same in the same words; definitions behind references are compared by name.
impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        let site = |schema: &Self| schema.site.as_ref().map(|site| site.json.clone());
        self.same(other) || (self.node.json == other.node.json && site(self) == site(other))
    }
}

/// The schema as JSON.
impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.to_json())
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::super::Definitions;
    use super::*;

    #[test]
    fn follows_references_with_the_words_of_the_referring_field() {
        let definitions = Definitions::from_map(
            from_json(
                r##"{"A":{"type":"object","description":"an A","properties":{
                "self":{"$ref":"#/components/schemas/A"},
                "b":{"allOf":[{"$ref":"#/components/schemas/B"}],"default":{},"x-kubernetes-map-type":"atomic"}}},
                "B":{"type":"object","description":"a B","properties":{"n":{"type":"integer"}}}}"##,
            )
            .unwrap()
            .as_map()
            .unwrap(),
        );
        let schema = definitions.get("A").unwrap();
        assert_eq!(schema.reference(), Some("A"));
        let b = schema.property("self").unwrap().property("self").unwrap().property("b").unwrap();
        assert_eq!((b.reference(), b.description()), (Some("B"), Some("a B")));
        assert_eq!(b.map_type(), Some(MapType::Atomic));
        assert_eq!(b.default_value(), Some(&from_json("{}").unwrap()));
        let path = FieldPath::parse("self.b.n").unwrap();
        assert_eq!(schema.at_path(&path).unwrap().schema_type(), Some(SchemaType::Integer));
        assert_eq!(
            b.to_json().to_string(),
            r#"{"default":{},"description":"a B","properties":{"n":{"type":"integer"}},"type":"object","x-kubernetes-map-type":"atomic"}"#
        );
    }

    #[test]
    fn a_reference_to_nowhere_is_free_form() {
        let schema = Schema::from_json(&from_json(r##"{"$ref":"#/definitions/None"}"##).unwrap());
        assert_eq!(schema.schema_type(), None);
    }
}
