/// A range of costs or sizes. Arithmetic saturates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub min: u64,
    /// The greatest; [`u64::MAX`] when there is none.
    pub max: u64,
}

impl Bounds {
    /// Nothing.
    pub const ZERO: Self = Self::exactly(0);
    /// Anything.
    pub const UNKNOWN: Self = Self { min: 0, max: u64::MAX };

    /// One value.
    pub const fn exactly(value: u64) -> Self {
        Self { min: value, max: value }
    }

    /// From zero to a value.
    pub const fn up_to(max: u64) -> Self {
        Self { min: 0, max }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    /// The product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    /// The product with a factor, rounded up.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { min: scale(self.min, factor), max: scale(self.max, factor) }
    }

    /// The range that has both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// A cast saturates, which is what is wanted of what is too large.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn scale(value: u64, factor: f64) -> u64 {
    (value as f64 * factor).ceil() as u64
}
