//! Objects as tables, for `kubectl get`.

mod builtin;
mod cluster;
mod column;
mod custom;
mod descriptions;
mod duration;
mod json_path;
mod workloads;

use jiff::Timestamp;
use kro_apimachinery::Status;
use kro_value::Value;

use crate::read::list::Page;
use crate::representation::View;
use crate::store::Stored;
use crate::uri::Query;

/// What of an object goes with its row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum IncludeObject {
    #[default]
    Metadata,
    Object,
    None,
}

/// Options of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TableOptions {
    pub(crate) include: IncludeObject,
}

impl TableOptions {
    /// Reads `includeObject`.
    pub(crate) fn parse(query: &Query) -> Result<Self, Status> {
        let include = match query.text("includeObject") {
            "" | "Metadata" => IncludeObject::Metadata,
            "Object" => IncludeObject::Object,
            "None" => IncludeObject::None,
            other => {
                return Err(Status::bad_request(format!(
                    "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty"
                )));
            }
        };
        Ok(Self { include })
    }
}

/// A list as a table.
pub(crate) fn list(view: &View, page: &Page, options: TableOptions, now: Timestamp) -> Value {
    let rows = page.items.iter().map(|stored| row(view, stored, options, now)).collect();
    table(view, page.meta.to_value(), Some(columns(view)), rows)
}

/// One object as a table.
pub(crate) fn object(view: &View, stored: &Stored, options: TableOptions, now: Timestamp) -> Value {
    row_event(view, stored, options, true, now)
}

/// One object as a table in a watch: columns only the first time.
pub(crate) fn row_event(
    view: &View,
    stored: &Stored,
    options: TableOptions,
    shows_columns: bool,
    now: Timestamp,
) -> Value {
    let revision = Value::map([("resourceVersion", Value::from(stored.revision.to_string()))]);
    let columns = shows_columns.then(|| columns(view));
    table(view, revision, columns, Value::list([row(view, stored, options, now)]))
}

fn table(view: &View, metadata: Value, columns: Option<Value>, rows: Value) -> Value {
    Value::map([
        ("kind", Value::from("Table")),
        ("apiVersion", view.form.api_version().into()),
        ("metadata", metadata),
        ("columnDefinitions", columns.unwrap_or_default()),
        ("rows", rows),
    ])
}

fn columns(view: &View) -> Value {
    let resource = &view.resource;
    if !resource.custom {
        let columns = builtin::columns(&resource.id).iter();
        return columns
            .map(|column| {
                let description = descriptions::of(&resource.id.resource, column.name);
                definition(column.name, column.value_type, column.format, description, i64::from(column.wide))
            })
            .collect();
    }
    let name = definition("Name", "string", "name", descriptions::of("", "Name"), 0);
    let own = custom::columns(&resource.versions[view.version]).into_iter().map(|column| {
        let description = match column.description.as_str() {
            "" => format!("Custom resource definition column (in JSONPath format): {}", column.json_path),
            own => own.to_owned(),
        };
        definition(&column.name, &column.value_type, &column.format, &description, column.priority)
    });
    std::iter::once(name).chain(own).collect()
}

fn definition(name: &str, value_type: &str, format: &str, description: &str, priority: i64) -> Value {
    Value::map([
        ("name", Value::from(name)),
        ("type", value_type.into()),
        ("format", format.into()),
        ("description", description.into()),
        ("priority", Value::Int(priority)),
    ])
}

fn row(view: &View, stored: &Stored, options: TableOptions, now: Timestamp) -> Value {
    let value = view.value(stored);
    // Cells of built-in kinds read what is stored, whatever version is shown.
    let cells = cells(view, if view.resource.custom { &value } else { &stored.value }, now);
    let object = match options.include {
        IncludeObject::None => Value::Null,
        IncludeObject::Object => value,
        IncludeObject::Metadata => Value::map([
            ("kind", Value::from("PartialObjectMetadata")),
            ("apiVersion", view.form.api_version().into()),
            ("metadata", value.get("metadata").cloned().unwrap_or_default()),
        ]),
    };
    Value::map([("cells", cells), ("object", object)])
}

fn cells(view: &View, value: &Value, now: Timestamp) -> Value {
    let resource = &view.resource;
    if !resource.custom {
        return builtin::columns(&resource.id).iter().map(|column| (column.cell)(value, now)).collect();
    }
    let name = value.at(&["metadata", "name"]).cloned().unwrap_or_default();
    let own = custom::columns(&resource.versions[view.version]);
    std::iter::once(name).chain(own.iter().map(|column| custom::cell(column, value, now))).collect()
}
