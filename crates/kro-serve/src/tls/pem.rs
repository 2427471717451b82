//! PEM, as OpenSSL writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Wraps DER bytes as PEM under a label such as `CERTIFICATE`.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn lines_have_64_characters() {
        let text = encode("CERTIFICATE", &[7; 60]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"-----BEGIN CERTIFICATE-----"));
        assert_eq!(lines.last(), Some(&"-----END CERTIFICATE-----"));
        assert_eq!((lines[1].len(), lines[2].len()), (64, 16));
    }
}
