//! English plurals of kinds, as the Go implementation forms them.
//!
//! The plural is part of the API path of instances, so it is wire contract, oddities included (`Repo` -> `repoes`,
//! `Price` -> `price`).

use std::collections::HashMap;
use std::sync::OnceLock;

use kro_value::{Str, format_smolstr};

/// Words whose plural is the word itself.
const UNCHANGED: &str = "aircraft beef bison blues chassis deer fish moose police salmon series sheep shrimp species \
    swine trout tuna you media equipment information jeans money news rice graffiti";

/// Words that take an `s`.
const ADD_S: &str = "human bureau stadium curriculum quota base vedalia abuse cause clause cruse excuse fuse house \
    misuse muse pause ache dwarf hoof chive hive move movie cookie pretorium agenda formula shoe";

/// Words that take an `es`.
const ADD_ES: &str = "topaz buffalo potato tomato";

/// Other irregular words, singular and plural in turn.
const IRREGULAR: &str = "child children foot feet goose geese man men woman women mouse mice tooth teeth person \
    people adieu adieux fabliau fabliaux criterion criteria ganglion ganglia lexicon lexica mitochondrion \
    mitochondria noumenon noumena phenomenon phenomena taxon taxa medium media aquarium aquaria auditorium auditoria \
    symposium symposia alumnus alumni bacillus bacilli cactus cacti coccus cocci focus foci locus loci nucleus nuclei \
    octopus octupuses radius radii syllabus syllabi corpus corpora genus genera alumna alumnae vertebra vertebrae \
    differentia differentiae minutia minutiae vita vitae larva larvae postcava postcavae praecava praecavae uva uvae \
    apex apices codex codices index indices latex latices vertex vertices vortex vortices appendix appendices radix \
    radices helix helices crisis crises ellipsis ellipses genesis geneses oasis oases thesis theses testis testes \
    basis bases thief thieves";

/// Words that count only as whole words, never as the end of a longer one; singular and plural in turn.
const WHOLE: &str = "use uses toe toes alias aliases ox oxen louse lice die dice axis axes ssh sshs eia eias tia tias";

/// Plurals that are kept as whole words although no rule gives them.
const KEPT: &str = "octopi formulae adieus";

/// Endings, singular and plural in turn.
const ENDINGS: &str = "tive tives eaf eaves oaf oaves afe aves arf arves rfe rves rf rves lf lves fe ves \
    ay ays ey eys oy oys quy quies uy uys y ies eau eaux \
    bula bulae dula bulae lula bulae nula bulae vula bulae hedron hedra \
    ium ia seum seums eum ea oum oa stracum straca dum da elum ela ilum ila olum ola ulum ula llum lla ylum yla \
    imum ima ernum erna gnum gna brum bra crum cra terum tera serum sera trum tra antum anta atum ata entum enta \
    etum eta itum ita otum ota utum uta ctum cta ovum ova \
    trix trices iasis iases mesis meses kinesis kineses resis reses gnosis gnoses opsis opses ysis yses \
    ouse ouses lause lauses us uses ch ches sh shes ss sses x xes ez ezzes iz izzes tz tzes zz zzes \
    io ios ano anos lo los to tos oo oos o oes";

/// A rule: words that end in the first end in the second when there are many.
type Rule = (&'static str, Str);

/// The plural of a lower-cased kind.
///
/// ```
/// assert_eq!(kro_graph::plural::pluralize("networkpolicy"), "networkpolicies");
/// ```
pub fn pluralize(word: &str) -> Str {
    let rules = rules();
    if let Some(plural) = rules.whole_words.get(word) {
        return plural.clone();
    }
    by_ending(word).unwrap_or_else(|| if word.ends_with('s') { word.into() } else { format_smolstr!("{word}s") })
}

/// By the longest ending that some rule knows; of two equally long ones the plural wins, which keeps the word.
fn by_ending(word: &str) -> Option<Str> {
    let mut longest = 0;
    let mut result = None;
    let last = *word.as_bytes().last()?;
    for (singular, plural) in rules().endings.get(&last)? {
        if plural.len() >= longest && word.ends_with(plural.as_str()) {
            longest = plural.len();
            result = Some(Str::new(word));
        }
        if singular.len() > longest && word.ends_with(*singular) {
            longest = singular.len();
            result = Some(format_smolstr!("{}{plural}", &word[..word.len() - singular.len()]));
        }
    }
    result
}

struct Rules {
    /// The plurals of words whatever their endings are.
    whole_words: HashMap<Str, Str>,
    /// By the last byte of the words that they may match, in order.
    endings: HashMap<u8, Vec<Rule>>,
}

fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| {
        let mut whole_words = HashMap::new();
        let mut add = |word: Str, plural: Str| {
            whole_words.entry(word).or_insert(plural);
        };
        // The first rule for a word counts: words that are kept, then singulars, then plurals, which stay.
        KEPT.split(' ').for_each(|word| add(word.into(), word.into()));
        whole_word_rules().for_each(|(singular, plural)| add(singular.into(), plural));
        whole_word_rules().for_each(|(_, plural)| add(plural.clone(), plural));
        Rules { whole_words, endings: endings() }
    })
}

fn endings() -> HashMap<u8, Vec<Rule>> {
    let mut endings: HashMap<u8, Vec<Rule>> = HashMap::new();
    for (singular, plural) in ending_rules() {
        let mut last: Vec<u8> = singular.bytes().last().into_iter().chain(plural.bytes().last()).collect();
        last.dedup();
        last.into_iter().for_each(|last| endings.entry(last).or_default().push((singular, plural.clone())));
    }
    endings
}

fn whole_word_rules() -> impl Iterator<Item = Rule> {
    irregular_words().chain(pairs(WHOLE))
}

fn ending_rules() -> impl Iterator<Item = Rule> {
    irregular_words().chain(pairs(ENDINGS))
}

fn irregular_words() -> impl Iterator<Item = Rule> {
    let unchanged = UNCHANGED.split(' ').map(|word| (word, Str::new(word)));
    let add_s = ADD_S.split(' ').map(|word| (word, format_smolstr!("{word}s")));
    let add_es = ADD_ES.split(' ').map(|word| (word, format_smolstr!("{word}es")));
    unchanged.chain(add_s).chain(add_es).chain(pairs(IRREGULAR))
}

fn pairs(words: &'static str) -> impl Iterator<Item = Rule> {
    let mut words = words.split(' ');
    std::iter::from_fn(move || Some((words.next()?, Str::new(words.next()?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_contract() {
        for (kind, plural) in [
            ("NetworkPolicy", "networkpolicies"),
            ("DataBase", "databases"),
            ("ClusterPolicy", "clusterpolicies"),
            ("TestWatch", "testwatches"),
            ("TestNames", "testnames"),
            ("Cache", "caches"),
            ("Gateway", "gateways"),
            ("Index", "indices"),
            ("Status", "statuses"),
            ("Ingress", "ingresses"),
            ("Repo", "repoes"),
            ("Demo", "demoes"),
            ("Price", "price"),
            ("Lambda", "lambda"),
            ("Beta", "beta"),
            ("Area", "area"),
            ("Cafe", "caves"),
            ("Roman", "romen"),
            ("Redis", "redis"),
            ("Metadata", "metadata"),
            ("SSH", "sshs"),
            ("EIA", "eias"),
            ("TIA", "tias"),
            ("DNS", "dns"),
            ("WebApp", "webapps"),
            ("Application", "applications"),
            ("Octopi", "octopi"),
            ("Alias", "aliases"),
            ("Use", "uses"),
            ("Box", "boxes"),
            ("Person", "people"),
            ("Children", "children"),
            ("Grandchild", "grandchildren"),
            ("Bus", "buses"),
            ("Radio", "radios"),
            ("Quiz", "quizzes"),
            ("Museum", "museums"),
            ("Woman", "women"),
            ("", "s"),
        ] {
            assert_eq!(pluralize(&kind.to_ascii_lowercase()), plural, "{kind}");
        }
    }
}
