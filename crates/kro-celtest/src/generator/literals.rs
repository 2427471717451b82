use kro_cel::Type;

use super::Generator;
use crate::pools;
use crate::syntax::{self, Piece};

impl Generator<'_> {
    /// A variable or a literal of a type.
    pub(crate) fn leaf(&mut self, ty: &Type) -> Piece {
        let fitting: Vec<String> =
            self.scope.iter().filter(|(_, known)| known == ty).map(|(name, _)| name.clone()).collect();
        if !fitting.is_empty() && self.random.chance(550) {
            // what was bound last is wanted most
            let at = if self.random.chance(500) { fitting.len() - 1 } else { self.random.below(fitting.len()) };
            return Piece::primary(fitting[at].clone());
        }
        self.literal(ty)
    }

    fn literal(&mut self, ty: &Type) -> Piece {
        let pick =
            |generator: &mut Self, pool: &[&'static str]| generator.random.pick(pool).unwrap_or("null").to_owned();
        let made = |generator: &mut Self, function: &str, pool: &[&'static str]| {
            Piece::primary(format!("{function}({})", pick(generator, pool)))
        };
        match ty {
            Type::Int => Piece::literal(&pick(self, pools::INTS)),
            Type::Uint => Piece::literal(&pick(self, pools::UINTS)),
            Type::Double => Piece::literal(&pick(self, pools::DOUBLES)),
            Type::String => Piece::primary(pick(self, pools::STRINGS)),
            Type::Bytes => Piece::primary(pick(self, pools::BYTES)),
            Type::Bool => Piece::primary(pick(self, &["true", "false"])),
            Type::Timestamp => made(self, "timestamp", pools::TIMESTAMPS),
            Type::Duration => made(self, "duration", pools::DURATIONS),
            Type::List(element) => self.list(element),
            Type::Map(entry) => self.map(&entry.0, &entry.1),
            Type::Type(_) if self.has_type_values => self.type_value(),
            Type::Type(_) => Piece::primary("type(s)"),
            Type::Dyn => self.dynamic(),
            Type::Null => Piece::primary("null"),
            _ => self.library_literal(ty),
        }
    }

    fn library_literal(&mut self, ty: &Type) -> Piece {
        if let Some(inner) = ty.optional_inner().cloned() {
            return match self.random.below(4) {
                0 => Piece::primary("optional.none()"),
                1 => Piece::primary(format!("optional.ofNonZeroValue({})", self.leaf(&inner).text)),
                _ => Piece::primary(format!("optional.of({})", self.leaf(&inner).text)),
            };
        }
        let (function, texts) = match ty.runtime_name().unwrap_or_default() {
            "kubernetes.Quantity" => ("quantity", pools::QUANTITIES),
            "kubernetes.URL" => ("url", pools::URLS),
            "kubernetes.Semver" => ("semver", pools::SEMVERS),
            "net.IP" => ("ip", pools::IPS),
            "net.CIDR" => ("cidr", pools::CIDRS),
            "kro.run.Condition" => {
                return Piece::primary("runtime.newCondition({type: 'A', status: 'True', reason: s})");
            }
            "kro.run.Runtime" => return Piece::primary("runtime"),
            _ => return Piece::primary("null"),
        };
        // mostly what the function takes, which is in the first part
        let count = if self.random.chance(800) { texts.len().min(8) } else { texts.len() };
        Piece::primary(format!("{function}({})", self.random.pick(&texts[..count]).unwrap_or("''")))
    }

    fn list(&mut self, element: &Type) -> Piece {
        let count = [0, 1, 2, 2, 3][self.random.below(5)];
        let mut items = Vec::new();
        for _ in 0..count {
            let optional = self.environment.parse_options().optional_syntax && self.random.chance(40);
            items.push(if optional {
                format!("?{}", self.leaf(&Type::optional(element.clone())).text)
            } else {
                self.leaf(element).text
            });
        }
        Piece::primary(format!("[{}{}]", items.join(", "), if count > 0 && self.random.chance(30) { "," } else { "" }))
    }

    fn map(&mut self, key: &Type, value: &Type) -> Piece {
        let count = [0, 1, 1, 1, 2][self.random.below(5)];
        let mut entries = Vec::new();
        for _ in 0..count {
            let key = self.leaf(key);
            let optional = self.environment.parse_options().optional_syntax && self.random.chance(40);
            entries.push(if optional {
                format!("?{}: {}", key.at(1), self.leaf(&Type::optional(value.clone())).text)
            } else {
                format!("{}: {}", key.text, self.leaf(value).text)
            });
        }
        Piece::primary(format!("{{{}}}", entries.join(", ")))
    }

    fn type_value(&mut self) -> Piece {
        let names = ["int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type"];
        let more = ["google.protobuf.Timestamp", "google.protobuf.Duration"];
        let all: Vec<&str> = names.into_iter().chain(more).collect();
        Piece::primary(self.random.pick(&all).unwrap_or("int"))
    }

    fn dynamic(&mut self) -> Piece {
        if self.random.chance(300)
            && let Some(path) = self.path(&Type::Dyn)
        {
            return path;
        }
        let ty = self.any_type();
        let inner = if ty.is_dyn() { Piece::primary("null") } else { self.leaf(&ty) };
        syntax::call("dyn", false, &[inner]).expect("written")
    }
}
