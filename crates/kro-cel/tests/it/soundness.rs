//! What the checker accepts never fails for want of an overload or a name when it is evaluated on data that fits, and never
//! costs more than estimated: expressions, schemas and data are generated.

use std::collections::BTreeMap;
use std::sync::Arc;

use kro_cel::cost::{Prices, SizeHints, estimate};
use kro_cel::{Budget, CelValue, Environment, ErrorKind, EvalContext, EvalError, Program, Type, library, view};
use kro_celwire::encode;
use kro_schema::cel::{SchemaSizes, SchemaTypes};
use kro_schema::structural::Schema;
use kro_schema::view::SchemaView;
use kro_value::Str;
use proptest::prelude::*;

use crate::generators::{Generated, Random, generate};

struct World {
    environment: Environment,
    variables: BTreeMap<Str, CelValue>,
    sizes: SchemaSizes,
}

/// An environment with an object of the generated schema and a list of integers.
fn world(generated: &Generated) -> World {
    let schema = Schema::from_json(&generated.schema);
    let mut types = SchemaTypes::new();
    let object = types.declare("o", &schema).expect("an object");
    let builder = library::kro_environment().extend().types(Arc::new(types));
    let environment = builder.variable("o", object).variable("li", Type::list(Type::Int)).build();
    let value = view::typed(&generated.data, &SchemaView::new(schema.clone())).expect("data that fits");
    let list = CelValue::list([3, 1, 2].map(CelValue::Int));
    let mut sizes = SchemaSizes::new();
    sizes.declare("o", &schema);
    World { environment, variables: BTreeMap::from([("o".into(), value), ("li".into(), list)]), sizes }
}

const BUDGET: Budget = Budget { steps: 100_000, bytes: 1 << 20 };

/// Equal, or not a number on both sides.
fn same(left: &CelValue, right: &CelValue) -> bool {
    left == right || format!("{left:?}") == format!("{right:?}")
}

fn run(program: Result<Program, EvalError>, world: &World) -> (Result<CelValue, EvalError>, u64) {
    let mut context = EvalContext::counting(BUDGET, u64::MAX);
    let outcome = program.and_then(|program| program.evaluate_with(&world.variables, &mut context));
    (outcome, context.cost())
}

/// Some seconds' worth, or as many as `PROPTEST_CASES` says.
fn cases() -> ProptestConfig {
    let config = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 500 };
    ProptestConfig { cases, failure_persistence: None, ..config }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn checked_expressions_find_their_overloads(seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let generated = Generated::new(&mut random);
        let world = world(&generated);
        for _ in 0..4 {
            let text = generate(&mut random, &generated);
            let parsed = world.environment.parse(&text);
            prop_assert_eq!(&parsed.errors, &[], "{}", text);
            let checked = world.environment.check(&parsed.ast);
            prop_assert_eq!(&checked.errors, &[], "{} over {:?}", text, generated.schema);
            let (outcome, cost) = run(world.environment.plan_counting(&parsed.ast, Some(&checked), Prices::Estimate), &world);
            if let Err(error) = &outcome {
                let lost = matches!(error.kind(), ErrorKind::NoOverload | ErrorKind::NoSuchAttribute | ErrorKind::NoSuchField);
                prop_assert!(!lost, "{}: {:?} over {:?}", text, error, generated.data);
            }
            // nor does counting
            let program = world.environment.plan(&parsed.ast, Some(&checked));
            let quick = program.and_then(|program| program.evaluate(&world.variables, &BUDGET));
            match (&outcome, quick) {
                (Ok(left), Ok(right)) => prop_assert!(same(left, &right), "{text}: {left:?} and {right:?}"),
                (Err(left), Err(right)) => prop_assert_eq!(left.message(), right.message(), "{}", text),
                (left, right) => prop_assert!(false, "{text}: {left:?} and {right:?}"),
            }
            let bounds = estimate(&parsed.ast, &checked, &world.sizes as &dyn SizeHints);
            prop_assert!(cost <= bounds.max, "{text}: cost {cost} of at most {bounds:?} over {:?}", generated.data);
            // the types do not change what comes out
            match (outcome, run(world.environment.plan(&parsed.ast, None), &world).0) {
                (Ok(left), Ok(right)) => prop_assert_eq!(encode(&left), encode(&right), "{}", text), // NaN is NaN here
                (Err(left), Err(right)) => prop_assert_eq!(left.message(), right.message(), "{}", text),
                (left, right) => prop_assert!(false, "{text}: {left:?} and {right:?}"),
            }
        }
    }
}
