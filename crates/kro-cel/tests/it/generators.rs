//! Random schemas, data that fits them, and expressions over both.

use kro_value::Value;

/// The kinds of expressions; a form names the kinds of its parts in angle brackets.
const KINDS: [&str; 11] =
    ["int", "double", "string", "bool", "ints", "strings", "map", "time", "bytes", "list", "optional"];

/// Expressions of each kind that need no variable but `li`.
const FORMS: [(&str, &str); 140] = [
    ("int", "7"),
    ("int", "-3"),
    ("int", "<int> + <int>"),
    ("int", "<int> * <int>"),
    ("int", "(<int>) / (<int>)"),
    ("int", "(<int>) % (<int>)"),
    ("int", "-(<int>)"),
    ("int", "<string>.size()"),
    ("int", "<ints>[<int>]"),
    ("int", "<ints>.sum()"),
    ("int", "int(<double>)"),
    ("int", "int(<string>)"),
    ("int", "<bool> ? (<int>) : (<int>)"),
    ("int", "<time>.getFullYear()"),
    ("int", "<string>.indexOf(<string>)"),
    ("int", "<ints>.filter(e, e > (<int>)).size()"),
    ("int", "cel.bind(v, <int>, v + v)"),
    ("int", "<ints>.map(e, e * 2)[0]"),
    ("int", "quantity(<string>).asInteger()"),
    ("double", "1.5"),
    ("double", "(<double>) / (<double>)"),
    ("double", "(<double>) - (<double>)"),
    ("double", "double(<int>)"),
    ("string", "'a-b'"),
    ("string", "(<string>) + (<string>)"),
    ("string", "string(<int>)"),
    ("string", "string(<double>)"),
    ("string", "string(<bool>)"),
    ("string", "<strings>.join(',')"),
    ("string", "<string>.replace('a', <string>)"),
    ("string", "<string>.substring(0, <int>)"),
    ("string", "<string>.upperAscii()"),
    ("string", "'%s-%d'.format([<string>, <int>])"),
    ("string", "json.marshal(<ints>)"),
    ("string", "<map>[<string>]"),
    ("string", "random.seededString(<int>, <string>)"),
    ("bool", "true"),
    ("bool", "(<int>) < (<int>)"),
    ("bool", "(<double>) >= (<double>)"),
    ("bool", "(<string>) == (<string>)"),
    ("bool", "(<ints>) != (<ints>)"),
    ("bool", "!(<bool>)"),
    ("bool", "(<bool>) && (<bool>)"),
    ("bool", "(<bool>) || (<bool>)"),
    ("bool", "(<int>) in (<ints>)"),
    ("bool", "(<string>) in (<map>)"),
    ("bool", "<string>.startsWith(<string>)"),
    ("bool", "<string>.matches('^a+')"),
    ("bool", "<ints>.exists(e, e > (<int>))"),
    ("bool", "<ints>.exists_one(e, e == (<int>))"),
    ("bool", "<time> < <time>"),
    ("bool", "<strings>.isSorted()"),
    ("bool", "<map>.all(k, v, k != v)"),
    ("ints", "[<int>, <int>]"),
    ("ints", "li"),
    ("ints", "li.filter(e, false)"),
    ("ints", "<ints>.filter(e, <bool>)"),
    ("ints", "<strings>.map(e, e.size())"),
    ("ints", "(<ints>) + (<ints>)"),
    ("ints", "<ints>.reverse()"),
    ("ints", "<ints>.sortBy(e, -e)"),
    ("ints", "lists.range(<int>)"),
    ("ints", "<ints>.slice(0, <int>)"),
    ("ints", "<strings>.transformList(i, s, i)"),
    ("strings", "[<string>, <string>]"),
    ("strings", "<string>.split('-')"),
    ("strings", "<map>.map(k, k)"),
    ("map", "{<string>: <string>}"),
    ("map", "<map>.merge(<map>)"),
    ("time", "<time> + duration('1h')"),
    ("int", "<list>.size()"),
    ("int", "<map>.size()"),
    ("int", "<bytes>.size()"),
    ("int", "<string>.lastIndexOf(<string>)"),
    ("int", "<ints>.max()"),
    ("int", "<strings>.indexOf(<string>)"),
    ("int", "semver('1.2.3').minor()"),
    ("int", "cidr('10.0.0.0/8').prefixLength()"),
    ("int", "url(<string>).getPort().size()"),
    ("int", "<ints>.first().orValue(<int>)"),
    ("int", "duration(<string>).getSeconds()"),
    ("int", "(<time> - <time>).getHours()"),
    ("int", "random.seededInt(0, 9, <string>)"),
    ("double", "<int> > 0 ? 0.5 : (<double>)"),
    ("double", "quantity('1Gi').asApproximateFloat()"),
    ("string", "<string>.trim()"),
    ("string", "<string>.charAt(0)"),
    ("string", "<string>.find('[a-z]+')"),
    ("string", "string(<time>)"),
    ("string", "string(<bytes>)"),
    ("string", "base64.encode(<bytes>)"),
    ("string", "<strings>.map(e, e + '-')[0]"),
    ("string", "json.marshal(<map>)"),
    ("string", "string(ip('10.0.0.1'))"),
    ("string", "<optional>.orValue(<string>)"),
    ("bool", "isQuantity(<string>)"),
    ("bool", "isURL(<string>)"),
    ("bool", "(<time>) == (<time>)"),
    ("bool", "dyn(<list>) == dyn(<list>)"),
    ("bool", "(<map>) == (<map>)"),
    ("bool", "<string>.contains(<string>)"),
    ("bool", "<string>.endsWith(<string>)"),
    ("bool", "<string>.matches(<string>)"),
    ("bool", "<optional>.hasValue()"),
    ("bool", "quantity(<string>).isLessThan(quantity('5'))"),
    ("bool", "cidr('10.0.0.0/8').containsIP(<string>)"),
    ("bool", "(<string>) in (<strings>)"),
    ("bool", "<strings>.exists(e, e.startsWith(<string>))"),
    ("bool", "dyn(<int>) == dyn(<string>)"),
    ("bool", "type(<int>) == type(<string>)"),
    ("ints", "<ints>.distinct()"),
    ("ints", "<ints>.sort()"),
    ("ints", "[<ints>, <ints>].flatten()"),
    ("ints", "<map>.map(k, k.size())"),
    ("ints", "lists.setAtIndex(<ints>, 0, <int>)"),
    ("strings", "<strings>.filter(e, e != <string>)"),
    ("strings", "<strings>.sort()"),
    ("strings", "<map>.transformList(k, v, k + v)"),
    ("strings", "[?<optional>, <string>]"),
    ("strings", "<string>.findAll('[a-z]')"),
    ("map", "<map>.transformMap(k, v, v + k)"),
    ("map", "<strings>.transformMapEntry(i, s, {string(i): s})"),
    ("map", "{'a': <string>, ?'b': <optional>}"),
    ("time", "timestamp('2026-01-02T03:04:05Z')"),
    ("bytes", "b'abc'"),
    ("bytes", "bytes(<string>)"),
    ("bytes", "hash.md5(<string>)"),
    ("list", "<ints>"),
    ("list", "<strings>"),
    ("list", "[<bool>]"),
    ("optional", "optional.of(<string>)"),
    ("optional", "optional.none()"),
    ("optional", "<strings>[?<int>]"),
    ("optional", "<map>[?<string>]"),
    ("optional", "<strings>.last()"),
    ("list", "[]"),
    ("double", "-0.25"),
    ("string", "''"),
    ("strings", "['x', 'y']"),
    ("map", "{'k': 'v'}"),
];

/// A source of random numbers that gives the same ones for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// A schema, an object that fits it, and the expressions that read its parts.
pub struct Generated {
    pub schema: Value,
    pub data: Value,
    reads: Vec<(&'static str, String)>,
}

/// Property names and what they are called in expressions.
const NAMES: [(&str, &str); 8] = [
    ("a", "a"),
    ("b", "b"),
    ("count", "count"),
    ("a-b", "a__dash__b"),
    ("x.y", "x__dot__y"),
    ("namespace", "namespace"),
    ("u__v", "u__underscores__v"),
    ("type", "type"),
];
const TEXTS: [&str; 10] = ["", "a", "web", "a-b", "10", "1h", "10.0.0.1", "512Mi", "https://a.b/c", "é¢漢字"];

impl Generated {
    pub fn new(random: &mut Random) -> Self {
        let mut generated = Self { schema: Value::Null, data: Value::Null, reads: Vec::new() };
        let (schema, data) = generated.object(random, "o", 3);
        (generated.schema, generated.data) = (schema, data);
        generated
    }

    /// The schema and the value of an object that is read by an expression.
    fn object(&mut self, random: &mut Random, read: &str, depth: usize) -> (Value, Value) {
        let (mut properties, mut entries) = (Vec::new(), Vec::new());
        for (name, field) in NAMES {
            if random.one_in(3) {
                continue;
            }
            let path = format!("{read}.{field}");
            let (schema, data) = self.value(random, &path, depth - 1);
            self.reads.push(("bool", format!("has({path})")));
            properties.push((name, schema));
            match random.below(6) {
                0 => {}
                1 => entries.push((name, Value::Null)),
                _ => entries.push((name, data)),
            }
        }
        let mut schema = vec![("type", Value::from("object")), ("properties", Value::map(properties))];
        if random.one_in(4) {
            schema.push(("x-kubernetes-preserve-unknown-fields", Value::from(true)));
            self.reads.push(("bool", format!("has({read}.unknown)")));
            self.reads.push(("bool", format!("{read}.unknown == 'x' || {read}.unknown == 3")));
            entries.push(("unknown", [Value::from("x"), Value::from(3)][random.below(2)].clone()));
        }
        (Value::map(schema), Value::map(entries))
    }

    fn value(&mut self, random: &mut Random, read: &str, depth: usize) -> (Value, Value) {
        match random.below(if depth == 0 { 9 } else { 13 }) {
            0..9 => self.scalar(random, read),
            9 => self.object(random, read, depth),
            10 => self.map(random, read, depth),
            _ => self.list(random, read, depth),
        }
    }

    fn scalar(&mut self, random: &mut Random, read: &str) -> (Value, Value) {
        let kinds =
            ["string", "string", "integer", "number", "boolean", "date-time", "byte", "duration", "int-or-string"];
        let kind = *random.pick(&kinds);
        let number = i64::try_from(random.below(12)).unwrap() - 4;
        let text = *random.pick(&TEXTS);
        let (seen, form): (&'static str, Option<&str>) = match kind {
            "integer" => ("int", None),
            "number" => ("double", None),
            "boolean" => ("bool", None),
            "date-time" => ("time", Some(kind)),
            "byte" => ("bytes", Some(kind)),
            "duration" | "int-or-string" => ("", Some(kind)),
            _ => ("string", None),
        };
        let data = match kind {
            "integer" if random.one_in(4) => Value::Float(2.0),
            "integer" => Value::from(number),
            "number" if random.one_in(2) => Value::from(number),
            "number" => Value::Float(0.5),
            "boolean" => Value::from(random.one_in(2)),
            "date-time" => Value::from("2026-01-02T03:04:05Z"),
            "byte" => Value::from("aGVsbG8="),
            "duration" => Value::from("1h30m"),
            "int-or-string" if random.one_in(2) => Value::from(number),
            _ => Value::from(text),
        };
        match kind {
            "duration" => self.reads.push(("int", format!("{read}.getSeconds()"))),
            "int-or-string" => self.reads.push(("bool", format!("{read} == 3 || {read} == 'a'"))),
            _ => self.reads.push((seen, read.to_owned())),
        }
        let mut schema = Vec::new();
        match form {
            Some("int-or-string") => schema.push(("x-kubernetes-int-or-string", Value::from(true))),
            Some(form) => schema.extend([("type", Value::from("string")), ("format", Value::from(form))]),
            None => schema.push(("type", Value::from(kind))),
        }
        if seen == "string" && random.one_in(2) {
            schema.push(("maxLength", Value::from(i64::try_from(text.chars().count()).unwrap())));
        }
        (Value::map(schema), data)
    }

    fn map(&mut self, random: &mut Random, read: &str, depth: usize) -> (Value, Value) {
        let keys = [("k", 0), ("a-b", 1), ("", 2)];
        let count = random.below(keys.len() + 1);
        let (values, data) = if random.one_in(2) {
            let data = Value::from(*random.pick(&TEXTS));
            self.reads.push(("map", read.to_owned()));
            self.reads.push(("string", format!("{read}['k']")));
            (Value::map([("type", Value::from("string"))]), data)
        } else {
            self.reads.push(("int", format!("{read}.size()")));
            self.value(random, &format!("{read}['k']"), depth - 1)
        };
        let mut schema = vec![("type", Value::from("object")), ("additionalProperties", values)];
        if random.one_in(2) {
            schema.push(("maxProperties", Value::from(i64::try_from(count).unwrap())));
        }
        (Value::map(schema), Value::map(keys[..count].iter().map(|(key, _)| (*key, data.clone()))))
    }

    fn list(&mut self, random: &mut Random, read: &str, depth: usize) -> (Value, Value) {
        let count = random.below(4);
        let mark = self.reads.len();
        let (items, data) = match random.below(3) {
            0 => {
                self.reads.push(("strings", read.to_owned()));
                (Value::map([("type", Value::from("string"))]), Value::from(*random.pick(&TEXTS)))
            }
            1 => {
                self.reads.push(("ints", read.to_owned()));
                (Value::map([("type", Value::from("integer"))]), Value::from(7))
            }
            _ => {
                let (items, data) = self.object(random, "e", depth);
                // what reads an item stands in a loop
                let inside: Vec<(&str, String)> = self.reads.drain(mark..).collect();
                inside.into_iter().for_each(|(kind, item)| self.loops(read, kind, &item));
                (items, data)
            }
        };
        self.reads.push(("int", format!("{read}.size()")));
        let mut schema = vec![("type", Value::from("array")), ("items", items)];
        if random.one_in(2) {
            schema.push(("maxItems", Value::from(i64::try_from(count).unwrap())));
        }
        match random.below(6) {
            0 => schema.push(("x-kubernetes-list-type", Value::from("set"))),
            1 => schema.push(("x-kubernetes-list-type", Value::from("atomic"))),
            _ => {}
        }
        (Value::map(schema), Value::list(std::iter::repeat_n(data, count)))
    }

    /// Loops over a list whose items are read by an expression on `e`.
    fn loops(&mut self, list: &str, kind: &'static str, item: &str) {
        let mapped = match kind {
            "int" => "ints",
            "string" => "strings",
            "bool" => "bool",
            _ => "list",
        };
        let form = match kind {
            "bool" => format!("{list}.exists(e, {item})"),
            _ => format!("{list}.map(e, {item})"),
        };
        self.reads.push((mapped, form));
        match kind {
            "int" => self.reads.push(("ints", format!("{list}.filter(e, {item} > 1).map(e, {item})"))),
            "string" => self.reads.push(("bool", format!("{list}.all(e, {item} != '')"))),
            "strings" => self.reads.push(("bool", format!("{list}.exists_one(e, {item}.exists(f, f == 'a'))"))),
            "double" => self.reads.push(("bool", format!("{list}.all(i, e, {item} < double(i))"))),
            _ => {}
        }
    }
}

/// An expression over the object.
pub fn generate(random: &mut Random, generated: &Generated) -> String {
    let kind = *random.pick(&["int", "string", "bool", "ints", "map", "strings", "double", "list"]);
    expression(kind, 4, random, generated)
}

fn expression(kind: &str, depth: usize, random: &mut Random, generated: &Generated) -> String {
    let reads: Vec<&str> = generated.reads.iter().filter(|read| read.0 == kind).map(|read| read.1.as_str()).collect();
    if !reads.is_empty() && random.below(5) < if depth == 0 { 4 } else { 2 } {
        return (*random.pick(&reads)).to_owned();
    }
    let fitting = |form: &&(&str, &str)| form.0 == kind && (depth > 0 || !form.1.contains('<'));
    let forms: Vec<_> = FORMS.iter().filter(fitting).collect();
    if forms.is_empty() {
        return expression(kind, 1, random, generated);
    }
    let mut out = random.pick(&forms).1.to_owned();
    for part in KINDS {
        let hole = format!("<{part}>");
        while out.contains(&hole) {
            let filled = expression(part, depth.saturating_sub(1), random, generated);
            // holes of one form stand left to right, and what fills them has none
            out = out.replacen(&hole, &format!("({filled})"), 1);
        }
    }
    out
}
