use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// A watch that the manager asked for; never used twice.
    WatchId,
    "watch-"
);
id!(
    /// A request that the manager sent; never used twice.
    RequestId,
    "request-"
);
id!(
    /// A timer that the manager set; never used twice.
    TimerId,
    "timer-"
);
