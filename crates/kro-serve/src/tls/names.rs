//! The subject of an X.509 certificate: who a client says it is.
//!
//! Only the path to the subject is read; the signature was already checked by the TLS stack. Bytes that are no
//! certificate give no names.

/// Object identifier 2.5.4.3, common name.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// Object identifier 2.5.4.10, organisation.
const ORGANISATION: [u8; 3] = [0x55, 0x04, 0x0a];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// The explicit tag of the certificate's version, the only optional field before the subject.
const VERSION: u8 = 0xa0;

/// What Kubernetes reads from a client certificate: the common name is the user, organisations are groups.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SubjectNames {
    pub(crate) common_name: Option<String>,
    pub(crate) organisations: Vec<String>,
}

impl SubjectNames {
    /// Reads the subject of a DER certificate.
    pub(crate) fn of_certificate(der: &[u8]) -> Self {
        let mut names = Self::default();
        if let Some(subject) = subject(der) {
            names.read(subject);
        }
        names
    }

    fn read(&mut self, mut subject: &[u8]) {
        while let Some((SET, mut attributes)) = element(&mut subject) {
            while let Some((SEQUENCE, mut attribute)) = element(&mut attributes) {
                let (Some((OBJECT_IDENTIFIER, kind)), Some((_, text))) =
                    (element(&mut attribute), element(&mut attribute))
                else {
                    continue;
                };
                let text = String::from_utf8_lossy(text).into_owned();
                if kind == COMMON_NAME {
                    self.common_name = Some(text);
                } else if kind == ORGANISATION {
                    self.organisations.push(text);
                }
            }
        }
    }
}

/// The content of the subject: Certificate → tbsCertificate → (version), serial, algorithm, issuer, validity, subject.
fn subject(mut der: &[u8]) -> Option<&[u8]> {
    let (_, mut certificate) = element(&mut der)?;
    let (_, mut body) = element(&mut certificate)?;
    if body.first() == Some(&VERSION) {
        element(&mut body)?;
    }
    for _ in 0..4 {
        element(&mut body)?;
    }
    let (tag, subject) = element(&mut body)?;
    (tag == SEQUENCE).then_some(subject)
}

/// Takes one DER element (tag and content) off the front.
fn element<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        let (digits, after) = (count <= 4).then(|| rest.split_at_checked(count))??;
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    *input = after;
    Some((tag, content))
}

#[cfg(test)]
mod tests {
    use super::SubjectNames;
    use crate::tls::Authority;

    #[test]
    fn the_user_and_the_group_of_a_certificate_are_read() {
        let authority = Authority::generate().unwrap();
        let certificate = authority.client("ann", "system:masters").unwrap();
        let names = SubjectNames::of_certificate(certificate.der());
        assert_eq!(names.common_name.as_deref(), Some("ann"));
        assert_eq!(names.organisations, ["system:masters"]);
    }

    #[test]
    fn every_organisation_is_a_group() {
        let attribute = |kind: u8, text: &str| {
            let pair = [&[0x06, 3, 0x55, 4, kind, 0x0c, text.len() as u8], text.as_bytes()].concat();
            let sequence = [&[0x30, pair.len() as u8], &pair[..]].concat();
            [&[0x31, sequence.len() as u8], &sequence[..]].concat()
        };
        let subject = [attribute(10, "one"), attribute(3, "ann"), attribute(10, "two"), attribute(6, "DE")].concat();
        let mut names = SubjectNames::default();
        names.read(&subject);
        assert_eq!(names.common_name.as_deref(), Some("ann"));
        assert_eq!(names.organisations, ["one", "two"]);
    }

    #[test]
    fn truncated_or_foreign_bytes_give_no_names() {
        let authority = Authority::generate().unwrap();
        let certificate = authority.client("ann", "team").unwrap();
        for end in 0..certificate.der().len() {
            assert_eq!(SubjectNames::of_certificate(&certificate.der()[..end]), SubjectNames::default());
        }
        for foreign in [&b"\x30\x84\xff\xff\xff\xff"[..], b"\x30\x89", b"hello", &[0x30, 0x80, 0, 0]] {
            assert_eq!(SubjectNames::of_certificate(foreign), SubjectNames::default());
        }
    }
}
