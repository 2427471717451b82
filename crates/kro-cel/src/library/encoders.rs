use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::{Outcome, function, new_string};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::CelValue;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// cel-go's encoders.
pub fn encoders() -> Library {
    Library::new(
        "encoders",
        [
            function(
                "base64.decode",
                [("base64_decode_string(string) -> bytes ~ convert 4", decode as Implementation)],
            ),
            function("base64.encode", [("base64_encode_bytes(bytes) -> string ~ convert 6", encode as Implementation)]),
            function(
                "json.encode",
                [("json_encode_dyn(dyn) -> string ~ everything", super::json::encode as Implementation)],
            ),
        ],
    )
}

fn encode(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Bytes(bytes)] = args else { return Err(EvalError::no_overload()) };
    context.charge(bytes.len() as u64 / 8)?;
    new_string(context, STANDARD.encode(bytes))
}

/// Padding may be missing; line breaks are skipped.
fn decode(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(text.len() as u64 / 8)?;
    context.allocate(text.len())?;
    let compact = text.replace(['\n', '\r'], "");
    match LENIENT.decode(&compact) {
        Ok(bytes) => Ok(CelValue::Bytes(bytes.into())),
        Err(error) => {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
                base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => compact.len() / 4 * 4,
            };
            Err(EvalError::invalid(format!("illegal base64 data at input byte {at}")))
        }
    }
}
