//! Switches of features that are not for everybody yet.

use std::fmt;
use std::str::FromStr;

/// The gates that can be set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeatureGates {
    /// Templates may use `omit()`.
    pub cel_omit_function: bool,
    /// An Event for every condition of an instance that changes.
    pub instance_condition_events: bool,
    /// A time series for every condition of every instance.
    pub instance_condition_metrics: bool,
}

impl FeatureGates {
    /// All of them are alpha.
    fn gates(&mut self) -> [(&'static str, &mut bool); 3] {
        [
            ("CELOmitFunction", &mut self.cel_omit_function),
            ("InstanceConditionEvents", &mut self.instance_condition_events),
            ("InstanceConditionMetrics", &mut self.instance_condition_metrics),
        ]
    }
}

/// `Name=bool,...`; `AllAlpha` and `AllBeta` switch the gates that are not named themselves.
impl FromStr for FeatureGates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut gates = Self::default();
        let settings: Vec<(&str, bool)> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(setting).collect::<Result<_, _>>()?;
        for (_, value) in settings.iter().filter(|(name, _)| *name == "AllAlpha") {
            gates.gates().into_iter().for_each(|(_, gate)| *gate = *value);
        }
        for (name, value) in settings.iter().filter(|(name, _)| !["AllAlpha", "AllBeta"].contains(name)) {
            let known: Vec<&str> = gates.gates().iter().map(|(name, _)| *name).collect();
            let gate = gates.gates().into_iter().find(|(known, _)| known == name).map(|(_, gate)| gate);
            *gate.ok_or_else(|| format!("unrecognized feature gate: {name}; there are {}", known.join(", ")))? = *value;
        }
        Ok(gates)
    }
}

fn setting(text: &str) -> Result<(&str, bool), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("missing bool value for feature gate {text}"))?;
    // What Go's strconv.ParseBool takes.
    let value = match value.trim() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
        "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
        other => return Err(format!("invalid value of feature gate {name}: {other:?} is not a bool")),
    };
    Ok((name.trim(), value))
}

/// What [`FromStr`] reads.
impl fmt::Display for FeatureGates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut copy = *self;
        let on: Vec<String> =
            copy.gates().iter().filter(|(_, gate)| **gate).map(|(name, _)| format!("{name}=true")).collect();
        formatter.write_str(&on.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read_as_kubernetes_does() {
        for (text, shown) in [
            ("", ""),
            ("CELOmitFunction=true", "CELOmitFunction=true"),
            ("CELOmitFunction=false,AllAlpha=T", "InstanceConditionEvents=true,InstanceConditionMetrics=true"),
            ("AllBeta=true", ""),
        ] {
            assert_eq!(text.parse::<FeatureGates>().map(|gates| gates.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for (text, wrong) in [
            ("Omit=true", "unrecognized feature gate: Omit; there are CELOmitFunction, "),
            ("CELOmitFunction", "missing bool value for feature gate CELOmitFunction"),
            ("CELOmitFunction=yes", "invalid value of feature gate CELOmitFunction: \"yes\" is not a bool"),
        ] {
            let error = text.parse::<FeatureGates>().unwrap_err();
            assert!(error.starts_with(wrong), "{error}");
        }
    }
}
