//! Literals of objects.

/// A [`Value`](kro_value::Value) written like JSON. Values are literals, names, `{...}`, `[...]` or `(any expression)`;
/// keys are literals or `(any expression)`.
macro_rules! value {
    ({ $($key:tt : $item:tt),* $(,)? }) => {
        kro_value::Value::map::<kro_value::Str>([$((kro_value::Str::from($key), $crate::controllers::value!($item))),*])
    };
    ([ $($item:tt),* $(,)? ]) => { kro_value::Value::list([$($crate::controllers::value!($item)),*]) };
    (null) => { kro_value::Value::Null };
    ($item:expr) => { kro_value::Value::from($item) };
}
pub(super) use value;
