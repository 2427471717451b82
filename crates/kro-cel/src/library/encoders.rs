use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::{Outcome, function, new_string};
use crate::Implementation;
use crate::declarations::Library;
use crate::eval::{EvalContext, EvalError};
use crate::value::CelValue;

const PADDED: GeneralPurpose = decoder(DecodePaddingMode::RequireCanonical);
const UNPADDED: GeneralPurpose = decoder(DecodePaddingMode::RequireNone);

const fn decoder(padding: DecodePaddingMode) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding).with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, config)
}

/// cel-go's encoders.
pub fn encoders() -> Library {
    Library::new(
        "encoders",
        [
            function(
                "base64.decode",
                [("base64_decode_string(string) -> bytes ~ convert 4 | walk", decode as Implementation)],
            ),
            function(
                "base64.encode",
                [("base64_encode_bytes(bytes) -> string ~ convert 6 | walk", encode as Implementation)],
            ),
            function(
                "json.encode",
                [("json_encode_dyn(dyn) -> string ~ everything | unbounded", super::json::encode as Implementation)],
            ),
        ],
    )
}

fn encode(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Bytes(bytes)] = args else { return Err(EvalError::no_overload()) };
    context.charge(bytes.len() as u64 / 8)?;
    new_string(context, STANDARD.encode(bytes))
}

/// Padding may be missing as a whole; line breaks are skipped.
fn decode(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::String(text)] = args else { return Err(EvalError::no_overload()) };
    context.charge(text.len() as u64 / 8)?;
    context.allocate(text.len())?;
    let compact = text.replace(['\n', '\r'], "");
    match PADDED.decode(&compact).or_else(|_| UNPADDED.decode(&compact)) {
        Ok(bytes) => Ok(CelValue::Bytes(bytes.into())),
        Err(_) => {
            let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            let at = compact.bytes().position(|byte| !is_digit(byte)).unwrap_or(compact.len() / 4 * 4);
            // as a place in the text with its line breaks
            let mut places = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\n' | b'\r'));
            let at = places.nth(at).map_or(text.len(), |(place, _)| place);
            Err(EvalError::invalid(format!("illegal base64 data at input byte {at}")))
        }
    }
}
