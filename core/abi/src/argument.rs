//! How the arguments of kernels turn into their wire form and back, without allocating.
//!
//! The host `hold`s an argument and passes what it `lower`s to; the plugin `open`s that and `lend`s
//! what it holds to the kernel. Holding matters for lists of planes, which are copied to the stack.

use auralis_core::{ConvolutionMode, MAX_CHANNELS, Result, Window};
use smallvec::SmallVec;

use crate::wire::{
    Complex, ConvolutionModeCode, Element, Planes, PlanesMut, Slice, SliceMut, WindowCode,
};

/// An argument of a kernel, on the host's side.
pub(crate) trait Hold {
    type Held: Lower;
    fn hold(self) -> Self::Held;
}

/// What the host holds during a call.
pub(crate) trait Lower {
    type Wire;
    fn lower(&mut self) -> Self::Wire;
}

/// An argument on the wire, on the plugin's side.
pub(crate) trait Open {
    type Held<'a>;

    /// Whether it is as nearly every call has it, so that opening it can't fail: what is checked here,
    /// in one place, [`Open::open`] need not check again.
    #[inline]
    fn is_plain(&self) -> bool {
        true
    }

    /// # Safety
    ///
    /// Every slice is one that [`Slice::open`] or [`SliceMut::open`] may be called on, for `'a`.
    unsafe fn open<'a>(self) -> Result<Self::Held<'a>>;
}

/// What the plugin holds during a call.
pub(crate) trait Lend {
    type Lent<'b>
    where
        Self: 'b;
    fn lend(&mut self) -> Self::Lent<'_>;
}

/// An element of a slice, by its type in the traits.
pub(crate) trait Sample: Copy {
    type Wire: Element<Native = Self>;
}

macro_rules! samples {
    ($($native:ty => $wire:ty;)*) => {$(
        impl Sample for $native {
            type Wire = $wire;
        }
    )*};
}

samples! {
    f32 => f32;
    f64 => f64;
    i16 => i16;
    i32 => i32;
    [u8; 3] => [u8; 3];
    auralis_core::Complex<f32> => Complex<f32>;
    auralis_core::Complex<f64> => Complex<f64>;
}

impl<T: Sample> Hold for &[T] {
    type Held = Slice<T::Wire>;

    fn hold(self) -> Self::Held {
        Slice::of(self)
    }
}

impl<T: Sample> Hold for &mut [T] {
    type Held = SliceMut<T::Wire>;

    fn hold(self) -> Self::Held {
        SliceMut::of(self)
    }
}

impl Hold for &[&[f32]] {
    type Held = SmallVec<[Slice<f32>; MAX_CHANNELS]>;

    fn hold(self) -> Self::Held {
        self.iter().map(|plane| Slice::of(plane)).collect()
    }
}

impl Hold for &mut [&mut [f32]] {
    type Held = SmallVec<[SliceMut<f32>; MAX_CHANNELS]>;

    fn hold(self) -> Self::Held {
        self.iter_mut().map(|plane| SliceMut::of(plane)).collect()
    }
}

impl Lower for SmallVec<[Slice<f32>; MAX_CHANNELS]> {
    type Wire = Planes;

    fn lower(&mut self) -> Planes {
        Slice {
            ptr: self.as_ptr(),
            len: self.len(),
        }
    }
}

impl Lower for SmallVec<[SliceMut<f32>; MAX_CHANNELS]> {
    type Wire = PlanesMut;

    fn lower(&mut self) -> PlanesMut {
        Slice {
            ptr: self.as_ptr(),
            len: self.len(),
        }
    }
}

impl<T: Element> Lower for Slice<T> {
    type Wire = Self;

    fn lower(&mut self) -> Self {
        *self
    }
}

impl<T: Element> Lower for SliceMut<T> {
    type Wire = Self;

    fn lower(&mut self) -> Self {
        *self
    }
}

impl<T: Element> Open for Slice<T> {
    type Held<'a> = &'a [T::Native];

    #[inline]
    fn is_plain(&self) -> bool {
        Slice::is_plain(*self)
    }

    unsafe fn open<'a>(self) -> Result<Self::Held<'a>> {
        // SAFETY: the caller's promise.
        unsafe { Slice::open(self) }
    }
}

impl<T: Element> Open for SliceMut<T> {
    type Held<'a> = &'a mut [T::Native];

    #[inline]
    fn is_plain(&self) -> bool {
        SliceMut::is_plain(*self)
    }

    unsafe fn open<'a>(self) -> Result<Self::Held<'a>> {
        // SAFETY: the caller's promise.
        unsafe { SliceMut::open(self) }
    }
}

impl Open for Planes {
    type Held<'a> = SmallVec<[&'a [f32]; MAX_CHANNELS]>;

    unsafe fn open<'a>(self) -> Result<Self::Held<'a>> {
        // SAFETY: the caller's promise, for the list and for each of its slices.
        unsafe { self.entries()?.iter().map(|plane| plane.open()).collect() }
    }
}

impl Open for PlanesMut {
    type Held<'a> = SmallVec<[&'a mut [f32]; MAX_CHANNELS]>;

    unsafe fn open<'a>(self) -> Result<Self::Held<'a>> {
        // SAFETY: the caller's promise, for the list and for each of its slices.
        unsafe { self.entries()?.iter().map(|plane| plane.open()).collect() }
    }
}

impl<T> Lend for &[T] {
    type Lent<'b>
        = &'b [T]
    where
        Self: 'b;

    fn lend(&mut self) -> &[T] {
        self
    }
}

impl<T> Lend for &mut [T] {
    type Lent<'b>
        = &'b mut [T]
    where
        Self: 'b;

    fn lend(&mut self) -> &mut [T] {
        self
    }
}

impl<'a> Lend for SmallVec<[&'a [f32]; MAX_CHANNELS]> {
    type Lent<'b>
        = &'b [&'a [f32]]
    where
        Self: 'b;

    fn lend(&mut self) -> &[&'a [f32]] {
        self
    }
}

impl<'a> Lend for SmallVec<[&'a mut [f32]; MAX_CHANNELS]> {
    type Lent<'b>
        = &'b mut [&'a mut [f32]]
    where
        Self: 'b;

    fn lend(&mut self) -> &mut [&'a mut [f32]] {
        self
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Hold for $type {
            type Held = Self;

            fn hold(self) -> Self {
                self
            }
        }

        impl Lower for $type {
            type Wire = Self;

            fn lower(&mut self) -> Self {
                *self
            }
        }

        impl Open for $type {
            type Held<'a> = Self;

            unsafe fn open<'a>(self) -> Result<Self::Held<'a>> {
                Ok(self)
            }
        }

        impl Lend for $type {
            type Lent<'b> = Self;

            fn lend(&mut self) -> Self {
                *self
            }
        }
    )*};
}

numbers!(f32 f64 usize);

macro_rules! codes {
    ($($native:ident $code:ident)*) => {$(
        impl Hold for $native {
            type Held = $code;

            fn hold(self) -> $code {
                self.into()
            }
        }

        impl Lower for $code {
            type Wire = Self;

            fn lower(&mut self) -> Self {
                *self
            }
        }

        impl Open for $code {
            type Held<'a> = $native;

            unsafe fn open<'a>(self) -> Result<Self::Held<'a>> {
                $code::open(self)
            }
        }

        impl Lend for $native {
            type Lent<'b> = Self;

            fn lend(&mut self) -> Self {
                *self
            }
        }
    )*};
}

codes! {
    Window WindowCode
    ConvolutionMode ConvolutionModeCode
}
