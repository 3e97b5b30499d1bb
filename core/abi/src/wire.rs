//! What crosses the boundary: slices, codes, handles, messages and the headers.

use std::ffi::c_void;
use std::fmt;

use abi_stable::StableAbi;
use abi_stable::type_layout::TypeLayout;
use auralis_core::{
    Admission, Contents, ConvolutionMode, Error, ErrorKind, Latency, Result, Window,
};

pub use crate::owned::Owned;

/// An element of a slice on the wire.
///
/// # Safety
///
/// `Native` has the same size, alignment and layout, and every bit pattern is valid for both.
pub unsafe trait Element: Copy + 'static {
    /// The type that the traits use for it.
    type Native: Copy + 'static;
}

macro_rules! same {
    ($($type:ty)*) => {$(
        // SAFETY: it is the same type, and made of numbers and pointers only.
        unsafe impl Element for $type {
            type Native = Self;
        }
    )*};
}

same!(f32 f64 i16 i32 u8 [u8; 3] Slice<u8>);

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq, StableAbi)]
#[repr(C)]
pub struct Complex<T> {
    /// The real part.
    pub re: T,
    /// The imaginary part.
    pub im: T,
}

// SAFETY: num_complex::Complex is `repr(C)` with the same two fields in the same order.
unsafe impl<T: Element<Native = T>> Element for Complex<T> {
    type Native = auralis_core::Complex<T>;
}

/// Elements that the callee reads during the call.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct Slice<T> {
    /// The first element; anything where there is none.
    pub ptr: *const T,
    /// The number of elements.
    pub len: usize,
}

// SAFETY: it only says where elements lie; reading them through it is unsafe and asks for the rest.
unsafe impl<T: Sync> Sync for Slice<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Send for Slice<T> {}

/// Elements that the callee alone reads and writes during the call.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct SliceMut<T> {
    /// The first element; anything where there is none.
    pub ptr: *mut T,
    /// The number of elements.
    pub len: usize,
}

/// UTF-8 text, without a terminating zero.
pub type Text = Slice<u8>;

impl Text {
    /// A text that lives for ever.
    pub const fn of_str(text: &'static str) -> Self {
        Self {
            ptr: text.as_ptr(),
            len: text.len(),
        }
    }

    /// The text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if it is not UTF-8, or as [`Slice::open`].
    ///
    /// # Safety
    ///
    /// As [`Slice::open`].
    pub unsafe fn open_str<'a>(self) -> Result<&'a str> {
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.open() }?;
        std::str::from_utf8(bytes)
            .map_err(|e| Error::new(ErrorKind::InvalidInput, "a text is not UTF-8").because(e))
    }
}

impl<T: Element> Slice<T> {
    /// Whether it may be a slice just as it is, an empty one included.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        is_plain(self.ptr.cast::<T::Native>(), self.len)
    }

    /// Where these elements lie.
    pub const fn of(elements: &[T::Native]) -> Self {
        Self {
            ptr: elements.as_ptr().cast(),
            len: elements.len(),
        }
    }

    /// The elements.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the pointer can't be that of so many elements.
    ///
    /// # Safety
    ///
    /// Unless it is empty, the pointer is that of `len` elements that nobody changes during `'a`.
    pub unsafe fn open<'a>(self) -> Result<&'a [T::Native]> {
        let native = Slice {
            ptr: self.ptr.cast::<T::Native>(),
            len: self.len,
        };
        // SAFETY: the caller's promise; the layouts agree, as Element says.
        unsafe { native.entries() }
    }
}

impl<T> Slice<T> {
    /// The elements as they are on the wire.
    ///
    /// # Errors
    ///
    /// As [`Slice::open`].
    ///
    /// # Safety
    ///
    /// As [`Slice::open`].
    pub(crate) unsafe fn entries<'a>(self) -> Result<&'a [T]> {
        if is_plain(self.ptr, self.len) {
            // SAFETY: the pointer is not null, aligned and the size below isize::MAX, as checked;
            // what it points to is the caller's promise.
            return Ok(unsafe { std::slice::from_raw_parts(self.ptr, self.len) });
        }
        check_empty(self.len).map(|()| &[][..])
    }
}

impl<T: Element> SliceMut<T> {
    /// Whether it may be a slice just as it is, an empty one included.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        is_plain(self.ptr.cast::<T::Native>(), self.len)
    }

    /// Where these elements lie.
    pub const fn of(elements: &mut [T::Native]) -> Self {
        Self {
            ptr: elements.as_mut_ptr().cast(),
            len: elements.len(),
        }
    }

    /// The elements.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the pointer can't be that of so many elements.
    ///
    /// # Safety
    ///
    /// Unless it is empty, the pointer is that of `len` elements that nobody else reads or changes
    /// during `'a`.
    pub unsafe fn open<'a>(self) -> Result<&'a mut [T::Native]> {
        let native = self.ptr.cast::<T::Native>();
        if is_plain(native, self.len) {
            // SAFETY: as in Slice::entries, and nobody else uses the elements; the layouts agree, as
            // Element says.
            return Ok(unsafe { std::slice::from_raw_parts_mut(native, self.len) });
        }
        check_empty(self.len).map(|()| &mut [][..])
    }
}

/// Refuses what can be seen to be no slice and is not empty: an empty one may have any pointer.
#[cold]
fn check_empty(len: usize) -> Result<()> {
    match len {
        0 => Ok(()),
        _ => Err(no_slice()),
    }
}

/// Whether it may be a slice just as it is.
#[inline]
fn is_plain<T>(ptr: *const T, len: usize) -> bool {
    let fits = len <= isize::MAX as usize / size_of::<T>();
    // No branch each: what a call brings is nearly always plain.
    !ptr.is_null() & ptr.is_aligned() & fits
}

#[cold]
#[inline(never)]
fn no_slice() -> Error {
    let message = "a slice crossed with a null or misaligned pointer or too large a length";
    Error::new(ErrorKind::InvalidInput, message)
}

/// Planes that the callee reads: a list of slices.
pub type Planes = Slice<Slice<f32>>;

/// Planes that the callee reads and writes. The list itself is only read.
pub type PlanesMut = Slice<SliceMut<f32>>;

/// Planar audio that the callee reads and writes: channel `c` begins at sample `c * stride`.
#[derive(Clone, Copy, Debug, StableAbi)]
#[repr(C)]
pub struct Block {
    /// All samples, with what lies between the planes.
    pub samples: SliceMut<f32>,
    /// The number of planes, 1 to 64.
    pub channels: usize,
    /// The number of samples of each plane.
    pub frames: usize,
    /// From the first sample of one plane to that of the next.
    pub stride: usize,
}

/// The smallest and the largest sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, StableAbi)]
#[repr(C)]
pub struct MinMax {
    /// The smallest.
    pub min: f32,
    /// The largest.
    pub max: f32,
}

impl From<(f32, f32)> for MinMax {
    fn from((min, max): (f32, f32)) -> Self {
        Self { min, max }
    }
}

impl From<MinMax> for (f32, f32) {
    fn from(MinMax { min, max }: MinMax) -> Self {
        (min, max)
    }
}

/// A second-order section `(b0 + b1 z⁻¹ + b2 z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²)`.
#[derive(Clone, Copy, Debug, PartialEq, StableAbi)]
#[repr(C)]
pub struct Biquad {
    /// Feed-forward coefficient of the sample itself.
    pub b0: f64,
    /// Feed-forward coefficient of the sample before.
    pub b1: f64,
    /// Feed-forward coefficient of the sample before that.
    pub b2: f64,
    /// Feedback coefficient of the last output.
    pub a1: f64,
    /// Feedback coefficient of the output before.
    pub a2: f64,
}

// SAFETY: five f64 in the same order, `repr(C)` on both sides.
unsafe impl Element for Biquad {
    type Native = auralis_core::Biquad;
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident for $native:ident $what:literal {
        $($variant:ident = $code:literal)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl From<$native> for $name {
            fn from(native: $native) -> Self {
                Self(match native { $($native::$variant => $code,)* })
            }
        }

        impl $name {
            /// What the code stands for.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Unsupported`] if this side does not know it.
            pub fn open(self) -> Result<$native> {
                match self.0 {
                    $($code => Ok($native::$variant),)*
                    _ => Err(Error::new(ErrorKind::Unsupported, $what)),
                }
            }
        }
    };
}

codes! {
    /// The code of a [`ConvolutionMode`].
    ConvolutionModeCode for ConvolutionMode "a convolution mode that is newer than the plugin" {
        Same = 0
        Full = 1
        Valid = 2
    }
}

codes! {
    /// The code of a [`Window`].
    WindowCode for Window "a window that is newer than the plugin" {
        Hann = 0
        Hamming = 1
        Blackman = 2
        BlackmanHarris = 3
    }
}

codes! {
    /// The code of a [`Latency`].
    LatencyCode for Latency "a convolver latency that is newer than the plugin" {
        Zero = 0
        OneBlock = 1
    }
}

codes! {
    /// The code of [`Contents`].
    ContentsCode for Contents "contents of a buffer that are newer than the plugin" {
        Stale = 0
        Zeroed = 1
    }
}

codes! {
    /// The code of an [`Admission`].
    AdmissionCode for Admission "an admission that is newer than the host" {
        Stored = 0
        TooLarge = 1
        Refused = 2
    }
}

impl Default for AdmissionCode {
    fn default() -> Self {
        Admission::Refused.into()
    }
}

/// The level of an event: 1 error, 2 warning, 3 information, 4 debugging, 5 tracing; as the most
/// detailed one that is wanted also 0, none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, StableAbi)]
#[repr(transparent)]
pub struct LevelCode(pub u32);

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
#[repr(transparent)]
pub struct Status(pub u32);

macro_rules! statuses {
    ($($name:ident $kind:ident = $code:literal)*) => {
        impl Status {
            /// Done; the message buffer was not touched.
            pub const OK: Self = Self(0);
            $(
                #[doc = concat!("Failed with [`ErrorKind::", stringify!($kind), "`].")]
                pub const $name: Self = Self($code);
            )*

            /// The status of an error of this kind. A kind that the wire does not know is a fault
            /// of the plugin to the host.
            pub fn of(kind: ErrorKind) -> Self {
                match kind {
                    $(ErrorKind::$kind => Self::$name,)*
                    _ => Self::PLUGIN,
                }
            }

            /// The kind of error that it stands for; none of [`Status::OK`].
            pub fn kind(self) -> Option<ErrorKind> {
                match self {
                    Self::OK => None,
                    $(Self::$name => Some(ErrorKind::$kind),)*
                    _ => Some(ErrorKind::Plugin),
                }
            }
        }
    };
}

statuses! {
    INVALID_INPUT InvalidInput = 1
    UNSUPPORTED Unsupported = 2
    UNAVAILABLE Unavailable = 3
    NOT_FOUND NotFound = 4
    CONFIG Config = 5
    IO Io = 6
    CORRUPT Corrupt = 7
    PLUGIN Plugin = 8
    PANICKED Panicked = 9
    EXHAUSTED Exhausted = 10
    INTERRUPTED Interrupted = 11
}

/// The caller's buffer for what went wrong: first the message with its context, then the causes.
/// Nothing is written on success.
#[derive(Debug, StableAbi)]
#[repr(C)]
pub struct Message {
    /// The buffer.
    pub ptr: *mut u8,
    /// Its size in bytes.
    pub capacity: usize,
    /// The length of the message: UTF-8, more than was written if the buffer was too small.
    pub message: usize,
    /// The length of message and causes together.
    pub total: usize,
}

impl Message {
    /// An empty message over a buffer of `capacity` bytes.
    pub const fn new(ptr: *mut u8, capacity: usize) -> Self {
        Self {
            ptr,
            capacity,
            message: 0,
            total: 0,
        }
    }

    /// Writes an error. Allocates nothing.
    ///
    /// # Safety
    ///
    /// The pointer is that of `capacity` bytes that may be written.
    pub unsafe fn write(&mut self, error: &Error) {
        (self.message, self.total) = (0, 0);
        // SAFETY: the caller's promise.
        let mut text = unsafe { Cursor::new(self) };
        text.message(error);
        let message = text.written;
        text.causes(error);
        (self.message, self.total) = (message, text.written);
    }

    /// The error that was written.
    ///
    /// # Safety
    ///
    /// The callee has written the first bytes of the buffer, as many as `total` says, and `kind` is
    /// that of its status.
    pub(crate) unsafe fn error(&self, kind: ErrorKind, kernel: &'static str) -> Error {
        let written = self.total.min(self.capacity);
        // SAFETY: the buffer is ours, and the callee has written so many bytes of it.
        let bytes = unsafe {
            Slice {
                ptr: self.ptr,
                len: written,
            }
            .open()
        }
        .unwrap_or_default();
        let (message, causes) = bytes.split_at(self.message.min(written));
        if kind == ErrorKind::Unsupported && message == kernel.as_bytes() {
            return Error::unsupported(kernel);
        }
        let cut = if self.total > written { "..." } else { "" };
        let text = |bytes, end| format!("{}{end}", String::from_utf8_lossy(bytes));
        if causes.is_empty() {
            return Error::new(kind, text(message, cut));
        }
        Error::new(kind, text(message, "")).because(text(causes, cut))
    }
}

/// Writes text into a message's buffer and counts what does not fit.
struct Cursor<'a> {
    buffer: &'a mut [std::mem::MaybeUninit<u8>],
    written: usize,
}

impl Cursor<'_> {
    /// # Safety
    ///
    /// The message's pointer is that of `capacity` bytes that may be written.
    unsafe fn new(message: &mut Message) -> Self {
        let buffer = match message.ptr.is_null() {
            true => &mut [][..],
            // SAFETY: the caller's promise; the bytes need not be initialised.
            false => unsafe {
                std::slice::from_raw_parts_mut(message.ptr.cast(), message.capacity)
            },
        };
        Self { buffer, written: 0 }
    }

    /// The message with its context, as the error's own `Display`, less the prefix that stands for
    /// the kind.
    fn message(&mut self, error: &Error) {
        use fmt::Write;
        let _ = self.write_str(error.message());
        let mut open = " (";
        for (key, value) in error.context() {
            let _ = write!(self, "{open}{key}: {value}");
            open = ", ";
        }
        if open == ", " {
            let _ = self.write_str(")");
        }
    }

    fn causes(&mut self, error: &Error) {
        use fmt::Write;
        let mut next = std::error::Error::source(error);
        let mut between = "";
        while let Some(cause) = next {
            let _ = write!(self, "{between}{cause}");
            between = ": ";
            next = cause.source();
        }
    }
}

impl fmt::Write for Cursor<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.buffer.len().saturating_sub(self.written);
        let fits = text.len().min(room);
        if fits > 0 {
            self.buffer[self.written..self.written + fits]
                .write_copy_of_slice(&text.as_bytes()[..fits]);
        }
        self.written += text.len();
        Ok(())
    }
}

/// A built backend in the plugin, opaque to the host.
#[derive(StableAbi)]
#[repr(C)]
pub struct Instance {
    opaque: [u8; 0],
}

/// A planned object in the plugin, opaque to the host.
#[derive(StableAbi)]
#[repr(C)]
pub struct Plan {
    opaque: [u8; 0],
}

/// What a plugin exports under [`ROOT_SYMBOL`](crate::ROOT_SYMBOL).
///
/// `magic`, `size` and `abi` stand at these places in every version to come.
#[derive(Debug, StableAbi)]
#[repr(C)]
pub struct PluginHeader {
    /// [`PluginHeader::MAGIC`].
    pub magic: [u8; 8],
    /// The size of this structure in the plugin.
    pub size: u32,
    /// [`ABI_VERSION`](crate::ABI_VERSION) of the plugin.
    pub abi: u32,
    /// [`ABI_STABLE_LINE`](crate::ABI_STABLE_LINE) of the plugin, or 0 for no layout descriptions.
    pub abi_stable: u32,
    /// The name of the plugin's crate.
    pub name: Text,
    /// The version of that crate.
    pub version: Text,
    /// The target triple that it was compiled for.
    pub target: Text,
    /// What a panic does: `unwind` or `abort`.
    pub panic: Text,
    /// The table of this name, or NULL.
    pub get_interface: Option<unsafe extern "C" fn(name: Text) -> *const InterfaceHeader>,
}

impl PluginHeader {
    /// The first bytes of a plugin's header.
    pub const MAGIC: [u8; 8] = *b"auralis\0";
}

/// One table and what it looks like.
#[derive(Debug, StableAbi)]
#[repr(C)]
pub struct InterfaceHeader {
    /// The size of this structure in the plugin.
    pub size: usize,
    /// The name of the interface, with its version.
    pub id: Text,
    /// The layout of the table, where the plugin's `abi_stable` is not 0.
    pub layout: Option<&'static TypeLayout>,
    /// The size of the table.
    pub table_size: usize,
    /// The table.
    pub table: *const c_void,
}

// SAFETY: the table is a static that nobody changes.
unsafe impl Sync for InterfaceHeader {}
// SAFETY: as above.
unsafe impl Send for InterfaceHeader {}
