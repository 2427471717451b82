//! The log, on standard error: a line of text, or a JSON object, for each event.

use std::fmt;

use kro_value::{Map, Value, from_json, to_json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};

use crate::cli::{LogFormat, LogLevel};

/// Starts logging; a second call does nothing. Libraries only tell what is wrong: what else they know (headers, bodies)
/// may hold secrets.
pub fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let own = ["kro", "kro_controller", "kro_manager", "kro_serve"].map(|target| (target, level));
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(own);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let color = is_terminal && std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    let lines = Lines { is_json: format == LogFormat::Json, color: is_terminal && !color };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).event_format(lines);
    let _ = registry().with(layer.with_filter(targets)).try_init();
}

/// How an event is written.
struct Lines {
    is_json: bool,
    color: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let metadata = event.metadata();
        let line = match self.is_json {
            true => json_line(time, *metadata.level(), metadata.target(), fields),
            false => text_line(&time, *metadata.level(), &fields, self.color),
        };
        writeln!(writer, "{line}")
    }
}

/// The names that zap gives them.
fn json_line(time: String, level: Level, target: &str, fields: Fields) -> String {
    let mut line = fields.named;
    line.insert("ts", time.into());
    line.insert("level", level.as_str().to_ascii_lowercase().into());
    line.insert("logger", target.into());
    line.insert("msg", fields.message.into());
    to_json(&line.into())
}

fn text_line(time: &str, level: Level, fields: &Fields, color: bool) -> String {
    let (begin, end) = match level {
        Level::ERROR if color => (crate::terminal::ERROR, crate::terminal::RESET),
        Level::WARN if color => (crate::terminal::YELLOW, crate::terminal::RESET),
        _ => ("", ""),
    };
    let mut line = format!("{time} {begin}{level:>5}{end} {}", fields.message);
    for (name, value) in &fields.named {
        line.push_str(&format!(" {name}={value}"));
    }
    line
}

/// What an event says.
#[derive(Default)]
struct Fields {
    message: String,
    named: Map,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: Value) {
        self.named.insert(field.name(), value);
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" { self.message = text } else { self.insert(field, text.into()) }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // The manager's fields, which have names of their own.
        match (field.name(), from_json(value)) {
            ("fields", Ok(Value::Map(named))) => named.iter().for_each(|(name, value)| {
                self.named.insert(name.clone(), value.clone());
            }),
            ("message", _) => self.message = value.to_owned(),
            _ => self.insert(field, value.into()),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        let named = [("error", Value::from("it said \"no\"")), ("attempt", 2.into())];
        Fields { message: "an apply failed".to_owned(), named: named.into_iter().map(|(k, v)| (k.into(), v)).collect() }
    }

    #[test]
    fn lines_carry_all_fields() {
        assert_eq!(
            text_line("T", Level::WARN, &fields(), false),
            "T  WARN an apply failed attempt=2 error=\"it said \\\"no\\\"\""
        );
        let json = from_json(&json_line("T".to_owned(), Level::INFO, "kro", fields())).unwrap();
        for (key, value) in
            [("ts", "T"), ("level", "info"), ("logger", "kro"), ("msg", "an apply failed"), ("error", "it said \"no\"")]
        {
            assert_eq!(json.str_at(&[key]), Some(value));
        }
        assert_eq!(json.get("attempt"), Some(&2.into()));
    }
}
