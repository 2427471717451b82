use std::sync::Arc;

use super::{Outcome, function, method, new_string};
use crate::Implementation;
use crate::declarations::{Cost, FunctionDecl, Library, Tracked};
use crate::eval::{ErrorKind, EvalContext, EvalError};
use crate::types::Type;
use crate::value::{CelValue, Cidr, Ip, Opaque};

/// IP addresses of Kubernetes.
pub fn ips() -> Library {
    Library::new(
        "kubernetes.net.ip",
        [
            function("ip", [("string_to_ip(string) -> net.IP ~ walk 0 | one", parse_ip as Implementation)]),
            function(
                "ip.isCanonical",
                [("ip_is_canonical(string) -> bool ~ walk2 0 | one", is_canonical as Implementation)],
            ),
            function("isIP", [("is_ip(string) -> bool ~ walk 0 | one", is_ip as Implementation)]),
            function("string", [("ip_to_string(net.IP) -> string", ip_text as Implementation)]),
            method(
                "family",
                [(
                    "ip_family(net.IP) -> int",
                    (|_, args| property(args, |ip| CelValue::Int(ip.family()))) as Implementation,
                )],
            ),
            method(
                "isUnspecified",
                [(
                    "ip_is_unspecified(net.IP) -> bool",
                    (|_, args| property(args, |ip| CelValue::Bool(ip.0.is_unspecified()))) as Implementation,
                )],
            ),
            method(
                "isLoopback",
                [(
                    "ip_is_loopback(net.IP) -> bool",
                    (|_, args| property(args, |ip| CelValue::Bool(ip.0.is_loopback()))) as Implementation,
                )],
            ),
            method(
                "isLinkLocalMulticast",
                [(
                    "ip_is_link_local_multicast(net.IP) -> bool",
                    (|_, args| property(args, |ip| CelValue::Bool(ip.is_link_local_multicast()))) as Implementation,
                )],
            ),
            method(
                "isLinkLocalUnicast",
                [(
                    "ip_is_link_local_unicast(net.IP) -> bool",
                    (|_, args| property(args, |ip| CelValue::Bool(ip.is_link_local_unicast()))) as Implementation,
                )],
            ),
            method(
                "isGlobalUnicast",
                [(
                    "ip_is_global_unicast(net.IP) -> bool",
                    (|_, args| property(args, |ip| CelValue::Bool(ip.is_global_unicast()))) as Implementation,
                )],
            ),
        ],
    )
    .with_type("net.IP", Type::opaque("net.IP", []))
}

/// Address ranges of Kubernetes.
pub fn cidrs() -> Library {
    Library::new(
        "kubernetes.net.cidr",
        [
            function("cidr", [("string_to_cidr(string) -> net.CIDR ~ walk 0 | one", parse_cidr as Implementation)]),
            function("isCIDR", [("is_cidr(string) -> bool ~ walk 0 | one", is_cidr as Implementation)]),
            function("string", [("cidr_to_string(net.CIDR) -> string", cidr_text as Implementation)]),
            method(
                "containsIP",
                [
                    (
                        "cidr_contains_ip_string(net.CIDR, string) -> bool ~ address text | one",
                        contains_ip as Implementation,
                    ),
                    ("cidr_contains_ip_ip(net.CIDR, net.IP) -> bool ~ address | one", contains_ip),
                ],
            ),
            method(
                "containsCIDR",
                [
                    (
                        "cidr_contains_cidr_string(net.CIDR, string) -> bool ~ range text | one",
                        contains_cidr as Implementation,
                    ),
                    ("cidr_contains_cidr(net.CIDR, net.CIDR) -> bool ~ range | one", contains_cidr),
                ],
            ),
            method("ip", [("cidr_ip(net.CIDR) -> net.IP", cidr_ip as Implementation)]),
            method("prefixLength", [("cidr_prefix_length(net.CIDR) -> int", prefix_length as Implementation)]),
            method("masked", [("cidr_masked(net.CIDR) -> net.CIDR", masked as Implementation)]),
        ],
    )
    .with_type("net.CIDR", Type::opaque("net.CIDR", []))
}

fn unconvertible(message: String) -> EvalError {
    EvalError::new(ErrorKind::TypeConversion, message)
}

fn ip(value: Ip) -> CelValue {
    CelValue::Opaque(Opaque::Ip(Arc::new(value)))
}

fn cidr(value: Cidr) -> CelValue {
    CelValue::Opaque(Opaque::Cidr(Arc::new(value)))
}

fn text(args: &[CelValue]) -> Result<&str, EvalError> {
    args.last().and_then(CelValue::as_str).ok_or_else(EvalError::no_overload)
}

fn parse_ip(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    context.allocate(32)?;
    Ip::parse(text(args)?).map(ip).map_err(unconvertible)
}

fn is_canonical(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let text = text(args)?;
    Ip::parse(text).map(|ip| CelValue::Bool(ip.0.to_string() == text)).map_err(unconvertible)
}

fn is_ip(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    Ok(CelValue::Bool(Ip::parse(text(args)?).is_ok()))
}

fn ip_text(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let [CelValue::Opaque(Opaque::Ip(ip))] = args else { return Err(EvalError::no_overload()) };
    new_string(context, ip.0.to_string())
}

fn property(args: &[CelValue], code: fn(Ip) -> CelValue) -> Outcome {
    let [CelValue::Opaque(Opaque::Ip(ip))] = args else { return Err(EvalError::no_overload()) };
    Ok(code(**ip))
}

/// Both the type and the parser say where the error arose, so the text does so twice.
fn parse_range(text: &str) -> Result<Cidr, EvalError> {
    Cidr::parse(text).map_err(|problem| {
        unconvertible(format!("network address parse error during conversion from string: {problem}"))
    })
}

fn parse_cidr(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    context.allocate(32)?;
    parse_range(text(args)?).map(cidr)
}

fn is_cidr(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    Ok(CelValue::Bool(Cidr::parse(text(args)?).is_ok()))
}

fn range(args: &[CelValue]) -> Result<Cidr, EvalError> {
    match args.first() {
        Some(CelValue::Opaque(Opaque::Cidr(cidr))) => Ok(**cidr),
        _ => Err(EvalError::no_overload()),
    }
}

fn cidr_text(context: &mut EvalContext, args: &[CelValue]) -> Outcome {
    new_string(context, range(args)?.to_string())
}

fn contains_ip(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let range = range(args)?;
    let address = match args {
        [_, CelValue::Opaque(Opaque::Ip(ip))] => **ip,
        // the reference words a bad address so
        [_, CelValue::String(text)] => Ip::parse(text).map_err(|_| EvalError::invalid("no such overload"))?,
        _ => return Err(EvalError::no_overload()),
    };
    Ok(CelValue::Bool(range.contains(address.0)))
}

fn contains_cidr(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    let range = range(args)?;
    let inner = match args {
        [_, CelValue::Opaque(Opaque::Cidr(inner))] => **inner,
        [_, CelValue::String(text)] => parse_range(text)?,
        _ => return Err(EvalError::no_overload()),
    };
    Ok(CelValue::Bool(range.prefix_bits <= inner.prefix_bits && range.contains(inner.address)))
}

fn cidr_ip(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    Ok(ip(Ip(range(args)?.address)))
}

fn prefix_length(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    Ok(CelValue::Int(range(args)?.prefix_bits.into()))
}

fn masked(_: &mut EvalContext, args: &[CelValue]) -> Outcome {
    Ok(cidr(range(args)?.masked()))
}

/// cel-go's own network library, which is that of Kubernetes with `isMask`.
pub fn network() -> Library {
    let mut library = Library::new(
        "network",
        [method(
            "isMask",
            [(
                "cidr_is_mask(net.CIDR) -> bool",
                (|_, args| range(args).map(|range| CelValue::Bool(range.masked() == range))) as Implementation,
            )],
        )],
    );
    for part in [ips(), cidrs()] {
        library.functions.extend(part.functions.iter().map(|function| Arc::new(tracked(function))));
        library.types.extend(part.types);
    }
    library
}

/// The reference knows what the functions cost in its own library, and not in that of Kubernetes.
fn tracked(function: &FunctionDecl) -> FunctionDecl {
    let mut function = function.clone();
    for overload in &mut function.overloads {
        overload.tracked = match overload.cost {
            Cost::Address { text, range } => Tracked::Address { text, range },
            _ => Tracked::AsEstimated,
        };
    }
    function
}
