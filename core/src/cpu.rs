//! The CPU's features: detected by the standard library, masked by the configuration.

use std::fmt;

/// A set of CPU features by the names that `rustc` and the standard library's detection use.
///
/// The set that reaches a backend is what the CPU has less what the configuration hides
/// (`[cpu] disable`), so that one machine can rehearse another.
///
/// ```
/// use auralis_core::CpuFeatures;
///
/// const NEEDED: CpuFeatures = CpuFeatures::of(&["avx2", "fma"]);
/// assert_eq!(NEEDED.to_string(), "fma, avx2");
/// assert!(NEEDED.missing_from(NEEDED).is_empty());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CpuFeatures(u64);

macro_rules! features {
    ($($arch:literal: $detect:ident { $($name:tt)* })*) => {
        const NAMES: &[&str] = &[$($($name),*),*];

        /// What the CPU has and the operating system has enabled: the standard library asks both.
        fn detected() -> CpuFeatures {
            #[allow(unused_mut, reason = "an architecture without a row has nothing to add")]
            let mut set = CpuFeatures::NONE;
            $(
                #[cfg(target_arch = $arch)]
                { $(if std::arch::$detect!($name) { set = set.union(CpuFeatures::of(&[$name])); })* }
            )*
            set
        }
    };
}

features! {
    "x86_64": is_x86_feature_detected {
        "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "f16c" "fma" "bmi1" "bmi2" "lzcnt" "avx2"
        "avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl" "avx512vbmi" "avx512vnni"
    }
    "aarch64": is_aarch64_feature_detected {
        "neon" "fp16" "dotprod" "sve" "sve2"
    }
}

impl CpuFeatures {
    /// The empty set: what a portable backend requires.
    pub const NONE: Self = Self(0);

    /// The set of these features.
    ///
    /// # Panics
    ///
    /// On a name that is not in [`CpuFeatures::known`]: at compile time where the set is a constant.
    pub const fn of(names: &[&str]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < names.len() {
            match index(names[i]) {
                Some(bit) => set |= 1 << bit,
                None => panic!("not the name of a known CPU feature"),
            }
            i += 1;
        }
        Self(set)
    }

    /// The set of one feature, if its name is known.
    pub const fn parse(name: &str) -> Option<Self> {
        match index(name) {
            Some(bit) => Some(Self(1 << bit)),
            None => None,
        }
    }

    /// What this CPU and its operating system offer.
    pub fn detect() -> Self {
        detected()
    }

    /// Every name that [`CpuFeatures::of`] takes, of all architectures.
    pub fn known() -> impl Iterator<Item = &'static str> {
        NAMES.iter().copied()
    }

    /// Whether the set holds nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set holds all of `other`.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What of this set `available` lacks.
    #[must_use]
    pub const fn missing_from(self, available: Self) -> Self {
        self.without(available)
    }

    /// The name of the feature that stands at this bit.
    pub(crate) const fn name(bit: usize) -> Option<&'static str> {
        if bit < NAMES.len() {
            Some(NAMES[bit])
        } else {
            None
        }
    }

    /// Whether the set holds the feature at this bit.
    pub(crate) const fn has(self, bit: usize) -> bool {
        self.0 >> bit & 1 == 1
    }

    /// The names in the set, in the order of [`CpuFeatures::known`].
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| self.has(*bit))
            .map(|(_, n)| *n)
    }
}

const fn index(name: &str) -> Option<usize> {
    let mut i = 0;
    while i < NAMES.len() {
        if same(NAMES[i].as_bytes(), name.as_bytes()) {
            return Some(i);
        }
        i += 1;
    }
    None
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

impl fmt::Display for CpuFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for CpuFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CpuFeatures({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_a_set_of_its_own() {
        assert!(NAMES.len() <= 64);
        for name in CpuFeatures::known() {
            let set = CpuFeatures::parse(name).unwrap();
            assert_eq!(set.names().collect::<Vec<_>>(), [name]);
        }
        assert_eq!(CpuFeatures::parse("avx3"), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        let needed = CpuFeatures::of(&["fma", "avx2", "avx512f"]);
        let here = CpuFeatures::of(&["avx2", "neon"]);
        assert_eq!(needed.missing_from(here).to_string(), "fma, avx512f");
        assert!(!here.contains(needed));
        assert!(needed.contains(CpuFeatures::of(&["fma"])));
    }
}
