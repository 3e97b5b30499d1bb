//! Vectors of a fixed number of lanes, as the transforms need them.

use super::butterfly::Butterfly;
use crate::isa::Isa;

/// An instruction set with vectors of `L` lanes: its token proves that the operations may run.
pub(crate) trait Lanes<const L: usize>: Isa {
    /// A vector.
    type Vector: Copy + Send + 'static;

    /// The transform of as many points as a vector has lanes.
    type Square: Butterfly<L>;

    /// `value` in every lane.
    fn splat(self, value: f32) -> Self::Vector;

    /// The first `L` values.
    fn load(self, src: &[f32]) -> Self::Vector;

    /// Replaces the first `L` values.
    fn store(self, dst: &mut [f32], vector: Self::Vector);

    /// Asks the cache for the line at `place`, which may be anywhere.
    fn prefetch(self, place: *const f32);

    /// `a + b`.
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `a - b`.
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `a * b`.
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;

    /// `a * b + c`.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// `a * b - c`.
    fn mul_sub(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// `c - a * b`.
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// The even and the odd lanes of `low` followed by `high`.
    fn separate(self, low: Self::Vector, high: Self::Vector) -> (Self::Vector, Self::Vector);

    /// The reverse of [`separate`](Self::separate).
    fn interleave(self, even: Self::Vector, odd: Self::Vector) -> (Self::Vector, Self::Vector);

    /// The vector with 0 in lane 0.
    fn clear_first(self, vector: Self::Vector) -> Self::Vector;

    /// The last lane first.
    fn reverse(self, vector: Self::Vector) -> Self::Vector;

    /// Lane 0 of `next`, then those of `vector` from the last to lane 1.
    fn mirror(self, vector: Self::Vector, next: Self::Vector) -> Self::Vector;

    /// Lane `i` of vector `j` becomes lane `j` of vector `i`.
    fn transpose(self, rows: [Self::Vector; L]) -> [Self::Vector; L];
}

/// Vectors of 16 lanes, half of them at a time.
pub(crate) trait Folded: Lanes<16> {
    /// Transposes the square of the lower halves and that of the upper ones, each in its place.
    fn fold(self, rows: [Self::Vector; 8]) -> [Self::Vector; 8];

    /// The upper half first.
    fn exchange(self, vector: Self::Vector) -> Self::Vector;
}

/// Vectors of 8 lanes in two halves that are left where they are.
pub(crate) trait Paired: Lanes<8> {
    /// Which of eight numbers each lane holds.
    const ORDER: [usize; 8] = [0, 1, 4, 5, 2, 3, 6, 7];

    /// As [`separate`](Lanes::separate), in this order.
    fn separate_pairs(self, low: Self::Vector, high: Self::Vector) -> (Self::Vector, Self::Vector);

    /// As [`interleave`](Lanes::interleave), of what is in this order.
    fn interleave_pairs(
        self,
        even: Self::Vector,
        odd: Self::Vector,
    ) -> (Self::Vector, Self::Vector);
}

/// `L` complex numbers.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Wide<V> {
    pub(crate) re: V,
    pub(crate) im: V,
}

/// The complex numbers of an instruction set.
pub(crate) type Of<I, const L: usize> = Wide<<I as Lanes<L>>::Vector>;
