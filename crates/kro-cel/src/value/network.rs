use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::library::quote;

/// An IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip(pub IpAddr);

/// An IP address and the length of a prefix. The bits after the prefix may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The address as written.
    pub address: IpAddr,
    /// Bits of the prefix: 0 to 32 or 128.
    pub prefix_bits: u8,
}

impl Ip {
    /// Reads an address without a zone that is no IPv4 address in the clothes of IPv6.
    ///
    /// # Errors
    /// What is wrong, in the reference's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = match text.split_once('%') {
            Some((bare, zone)) if !zone.is_empty() && bare.parse::<Ipv6Addr>().is_ok() => {
                return Err(format!("IP address {} with zone value is not allowed", quote(text)));
            }
            _ => text.parse::<IpAddr>(),
        };
        match address {
            Ok(address) if is_mapped(address) => {
                Err(format!("IPv4-mapped IPv6 address {} is not allowed", quote(text)))
            }
            Ok(address) => Ok(Self(address)),
            Err(_) => {
                let problem = address_problem(text);
                Err(format!(
                    "IP Address {quoted} parse error during conversion from string: {problem}",
                    quoted = quote(text)
                ))
            }
        }
    }

    /// 4 or 6.
    pub fn family(self) -> i64 {
        if self.0.is_ipv4() { 4 } else { 6 }
    }

    /// 169.254.0.0/16 and fe80::/10.
    pub fn is_link_local_unicast(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        }
    }

    /// 224.0.0.0/24 and ff02::/16.
    pub fn is_link_local_multicast(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
            IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
        }
    }

    /// Everything that is not unspecified, loopback, multicast, link local or the broadcast address.
    pub fn is_global_unicast(self) -> bool {
        let special = self.0.is_unspecified() || self.0.is_loopback() || self.0.is_multicast();
        !special && !self.is_link_local_unicast() && self.0 != IpAddr::V4(Ipv4Addr::BROADCAST)
    }
}

impl Cidr {
    /// Reads an address and a prefix length.
    ///
    /// # Errors
    /// What is wrong, in the reference's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let problem = |problem: String| {
            let error = format!("netip.ParsePrefix({quoted}): {problem}", quoted = quote(text));
            format!("network address parse error during conversion from string: {error}")
        };
        let Some((address, bits)) = text.rsplit_once('/') else { return Err(problem("no '/'".to_owned())) };
        let parsed = match address.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) if address.contains('%') => {
                return Err(problem("IPv6 zones cannot be present in a prefix".to_owned()));
            }
            Err(_) => return Err(problem(address_problem(address))),
        };
        let digits = bits.bytes().all(|byte| byte.is_ascii_digit()) && (bits.len() < 2 || !bits.starts_with('0'));
        let Some(prefix_bits) = bits.parse::<u16>().ok().filter(|_| digits) else {
            return Err(problem(format!("bad bits after slash: {}", quote(bits))));
        };
        let most = if parsed.is_ipv4() { 32 } else { 128 };
        if prefix_bits > most {
            return Err(problem("prefix length out of range".to_owned()));
        }
        if is_mapped(parsed) {
            return Err(format!("IPv4-mapped IPv6 address {} is not allowed", quote(text)));
        }
        Ok(Self { address: parsed, prefix_bits: u8::try_from(prefix_bits).unwrap_or(u8::MAX) })
    }

    /// The range with the bits after the prefix cleared.
    #[must_use]
    pub fn masked(self) -> Self {
        Self { address: mask(self.address, self.prefix_bits), ..self }
    }

    /// Whether an address is in the range.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && mask(address, self.prefix_bits) == mask(self.address, self.prefix_bits)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_bits)
    }
}

fn mask(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

/// What Go says about a text that is no address, in the common cases.
pub(super) fn address_problem(text: &str) -> String {
    let problem = match (text.find(':'), text.find('.')) {
        (Some(_), _) if text.ends_with(':') && !text.ends_with("::") => {
            "each colon-separated field must have at least one digit".to_owned()
        }
        (None, Some(_)) => ipv4_problem(text),
        (None, None) => "unable to parse IP".to_owned(),
        (Some(_), _) => "each colon-separated field must have at least one digit".to_owned(),
    };
    format!("ParseAddr({quoted}): {problem}", quoted = quote(text))
}

fn ipv4_problem(text: &str) -> String {
    if let Some(at) = text.find(|c: char| !c.is_ascii_digit() && c != '.') {
        return format!("unexpected character (at {})", quote(&text[at..]));
    }
    let parts: Vec<&str> = text.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return "IPv4 field must have at least one digit".to_owned();
    }
    if parts.iter().any(|part| part.len() > 1 && part.starts_with('0')) {
        return "IPv4 field has octet with leading zero".to_owned();
    }
    if parts.iter().any(|part| part.parse::<u16>().map_or(true, |value| value > 255)) {
        return "IPv4 field has value >255".to_owned();
    }
    if parts.len() < 4 { "IPv4 address too short" } else { "IPv4 address too long" }.to_owned()
}
