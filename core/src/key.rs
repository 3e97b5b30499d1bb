//! Cache keys: BLAKE3 digests of everything that a result depends on.

use std::fmt;

/// A content digest under which a result is cached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes, such as one that was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Builds a [`Key`] from a namespace, a version and every argument.
///
/// Each argument goes in with a tag of its type and the length of what varies in length, so two
/// different lists of arguments never feed the same bytes to the digest. What has no faithful
/// identity (a pointer, a handle, a closure) does not implement [`KeyArgument`] and can't be keyed.
///
/// ```
/// use auralis_core::KeyBuilder;
///
/// let key = |window: u32, audio: &[f32]| {
///     KeyBuilder::new("moving_rms", 1).argument(&window).argument(audio).finish()
/// };
/// assert_eq!(key(64, &[0.0, 1.0]), key(64, &[0.0, 1.0]));
/// assert_ne!(key(64, &[0.0, 1.0]), key(64, &[-0.0, 1.0]));
/// ```
#[derive(Clone, Debug)]
pub struct KeyBuilder {
    hasher: blake3::Hasher,
}

impl KeyBuilder {
    /// A builder for results of `namespace`, of the `version` of the code that computes them.
    pub fn new(namespace: &str, version: u32) -> Self {
        let mut builder = Self {
            hasher: blake3::Hasher::new(),
        };
        namespace.add_to(&mut builder);
        version.add_to(&mut builder);
        builder
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument<A: KeyArgument + ?Sized>(mut self, argument: &A) -> Self {
        argument.add_to(&mut self);
        self
    }

    /// Adds an array by its element type, shape and bytes (little-endian, row by row).
    #[must_use]
    pub fn array(mut self, element: &str, shape: &[usize], bytes: &[u8]) -> Self {
        self.tag("array");
        element.add_to(&mut self);
        self.length(shape.len());
        shape.iter().for_each(|&n| self.length(n));
        self.length(bytes.len());
        self.hasher.update(bytes);
        self
    }

    /// The key.
    pub fn finish(self) -> Key {
        Key(*self.hasher.finalize().as_bytes())
    }

    fn tag(&mut self, tag: &'static str) {
        self.hasher.update(&[tag.len() as u8]);
        self.hasher.update(tag.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.hasher.update(&(length as u64).to_le_bytes());
    }
}

/// A value that has a faithful identity: equal digests mean equal values, bit for bit.
pub trait KeyArgument {
    /// Feeds the value, with a tag of its type, to the digest.
    fn add_to(&self, key: &mut KeyBuilder);
}

/// A number with a fixed little-endian form, which a slice of it can be keyed by.
trait Scalar: Copy {
    const TAG: &'static str;
    fn feed(values: &[Self], hasher: &mut blake3::Hasher);
}

macro_rules! scalars {
    ($($scalar:ident)*) => {$(
        impl Scalar for $scalar {
            const TAG: &'static str = stringify!($scalar);

            fn feed(values: &[Self], hasher: &mut blake3::Hasher) {
                const SIZE: usize = size_of::<$scalar>();
                let mut bytes = [0; 128 * SIZE];
                for chunk in values.chunks(128) {
                    for (to, value) in bytes.chunks_exact_mut(SIZE).zip(chunk) {
                        to.copy_from_slice(&value.to_le_bytes());
                    }
                    hasher.update(&bytes[..chunk.len() * SIZE]);
                }
            }
        }

        impl KeyArgument for $scalar {
            fn add_to(&self, key: &mut KeyBuilder) {
                key.tag($scalar::TAG);
                $scalar::feed(&[*self], &mut key.hasher);
            }
        }

        impl KeyArgument for [$scalar] {
            fn add_to(&self, key: &mut KeyBuilder) {
                key.tag("slice");
                key.tag($scalar::TAG);
                key.length(self.len());
                $scalar::feed(self, &mut key.hasher);
            }
        }

        impl KeyArgument for Vec<$scalar> {
            fn add_to(&self, key: &mut KeyBuilder) {
                self.as_slice().add_to(key);
            }
        }
    )*};
}

scalars!(u8 u16 u32 u64 i8 i16 i32 i64 f32 f64);

impl KeyArgument for usize {
    fn add_to(&self, key: &mut KeyBuilder) {
        key.tag("usize");
        key.length(*self);
    }
}

impl KeyArgument for bool {
    fn add_to(&self, key: &mut KeyBuilder) {
        key.tag("bool");
        key.hasher.update(&[u8::from(*self)]);
    }
}

impl KeyArgument for str {
    fn add_to(&self, key: &mut KeyBuilder) {
        key.tag("str");
        key.length(self.len());
        key.hasher.update(self.as_bytes());
    }
}

impl KeyArgument for String {
    fn add_to(&self, key: &mut KeyBuilder) {
        self.as_str().add_to(key);
    }
}

impl KeyArgument for Key {
    fn add_to(&self, key: &mut KeyBuilder) {
        key.tag("key");
        key.hasher.update(&self.0);
    }
}

impl<A: KeyArgument> KeyArgument for Option<A> {
    fn add_to(&self, key: &mut KeyBuilder) {
        match self {
            None => key.tag("none"),
            Some(value) => {
                key.tag("some");
                value.add_to(key);
            }
        }
    }
}

impl<A: KeyArgument + ?Sized> KeyArgument for &A {
    fn add_to(&self, key: &mut KeyBuilder) {
        (**self).add_to(key);
    }
}

macro_rules! tuples {
    ($($count:literal: $($name:ident)*;)*) => {$(
        impl<$($name: KeyArgument),*> KeyArgument for ($($name,)*) {
            #[allow(non_snake_case, reason = "a type's letter names its value too")]
            fn add_to(&self, key: &mut KeyBuilder) {
                let ($($name,)*) = self;
                key.tag(concat!("tuple", $count));
                $($name.add_to(key);)*
            }
        }
    )*};
}

tuples! { 1: A; 2: A B; 3: A B C; 4: A B C D; 5: A B C D E; 6: A B C D E F; }

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn different_arguments_have_different_keys() {
        let key = || KeyBuilder::new("n", 1);
        let keys = [
            KeyBuilder::new("m", 1).finish(),
            KeyBuilder::new("n", 2).finish(),
            key().finish(),
            key().argument(&1_i32).finish(),
            key().argument(&1_u32).finish(),
            key().argument(&1_i64).finish(),
            key().argument(&1.0_f32).finish(),
            key().argument(&1.0_f64).finish(),
            key().argument(&true).finish(),
            key().argument("ab").argument("c").finish(),
            key().argument("a").argument("bc").finish(),
            key()
                .argument(&[1_u8, 2][..])
                .argument(&[3_u8][..])
                .finish(),
            key()
                .argument(&[1_u8][..])
                .argument(&[2_u8, 3][..])
                .finish(),
            key().argument(&[0_u8; 4][..]).finish(),
            key().argument(&[0_f32; 1][..]).finish(),
            key().argument(&0.0_f32).finish(),
            key().argument(&-0.0_f32).finish(),
            key().argument(&None::<i32>).finish(),
            key().argument(&Some(1_i32)).finish(),
            key().argument(&(1_i32, 2_i32)).finish(),
            key().argument(&1_i32).argument(&2_i32).finish(),
            key().array("f32", &[2, 3], &[0; 24]).finish(),
            key().array("f32", &[3, 2], &[0; 24]).finish(),
            key().array("i32", &[3, 2], &[0; 24]).finish(),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    }

    #[test]
    fn a_long_slice_is_keyed_to_its_last_bit() {
        let mut audio = vec![0.5_f32; 1000];
        let key = |audio: &[f32]| KeyBuilder::new("n", 1).argument(audio).finish();
        let before = key(&audio);
        audio[999] = f32::from_bits(audio[999].to_bits() ^ 1);
        assert_ne!(key(&audio), before);
    }

    #[test]
    fn a_key_is_the_same_on_every_machine() {
        let key = KeyBuilder::new("golden", 3)
            .argument(&[1.5_f32, -2.0][..])
            .finish();
        let again = blake3::hash(
            b"\x03str\x06\0\0\0\0\0\0\0golden\x03u32\x03\0\0\0\x05slice\x03f32\x02\0\0\0\0\0\0\0\
              \0\0\xc0\x3f\0\0\0\xc0",
        );
        assert_eq!(key.as_bytes(), again.as_bytes());
    }
}
