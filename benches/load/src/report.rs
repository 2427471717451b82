//! Figures and how they are shown.

use kro_value::Value;

/// One figure.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What is wanted: `<= 6`, `>= 0.80`; empty for a figure without a mark.
    pub wanted: String,
    /// Whether it is as wanted; `None` for a figure without a mark.
    pub is_met: Option<bool>,
    /// Anything else that was seen.
    pub note: String,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub struct Report {
    pub rows: Vec<Row>,
}

impl Report {
    pub fn at_most(&mut self, name: String, value: f64, unit: &'static str, limit: f64, note: String) {
        self.push(Row { name, value, unit, wanted: format!("<= {limit}"), is_met: Some(value <= limit), note });
    }

    pub fn at_least(&mut self, name: String, value: f64, unit: &'static str, limit: f64, note: String) {
        self.push(Row { name, value, unit, wanted: format!(">= {limit}"), is_met: Some(value >= limit), note });
    }

    pub fn show(&mut self, name: String, value: f64, unit: &'static str, note: String) {
        self.push(Row { name, value, unit, wanted: String::new(), is_met: None, note });
    }

    /// The names of all figures that are not as wanted.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|row| row.is_met == Some(false)).map(|row| row.name.as_str())
    }

    fn push(&mut self, row: Row) {
        println!("{}", row.line());
        self.rows.push(row);
    }

    /// As a JSON list.
    pub fn to_json(&self) -> String {
        let row = |row: &Row| {
            Value::map([
                ("name", Value::from(row.name.as_str())),
                ("value", Value::Float(row.value)),
                ("unit", Value::from(row.unit)),
                ("wanted", Value::from(row.wanted.as_str())),
                ("met", row.is_met.map_or(Value::Null, Value::Bool)),
                ("note", Value::from(row.note.as_str())),
            ])
        };
        kro_value::to_json_pretty(&self.rows.iter().map(row).collect())
    }
}

impl Row {
    /// As a row of a Markdown table.
    fn line(&self) -> String {
        let Self { name, value, unit, wanted, is_met, note } = self;
        let verdict = is_met.map_or("", |is_met| if is_met { "met" } else { "MISSED" });
        format!("| {name} | {value:.2} {unit} | {wanted} | {verdict} | {note} |")
    }
}

/// A percentile of samples; 0 for none.
pub fn percentile(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last * percent).div_ceil(100)).copied().unwrap_or_default()
}
