//! The libraries that are compared with, opened at run time: one that is missing is reported.
//!
//! The prototypes are written from the libraries' public documentation; no code of theirs is here.

pub mod avutil;
pub mod ebur128;
pub mod fftw;
pub mod ipp;
pub mod ippvm;
pub mod mkl;
pub mod program;
pub mod python;
pub mod volk;
pub mod zita;

use std::ffi::{CStr, c_char, c_int};

use libloading::Library;
use libloading::os::unix::{Library as Opened, RTLD_LOCAL, RTLD_NOW};

/// A peer, or why it can't be had.
pub type Peer<T> = Result<&'static T, &'static str>;

/// `RTLD_DEEPBIND`: a library finds its own functions first. MKL gives everybody functions under the
/// names of FFTW's.
#[cfg(target_os = "linux")]
const OWN_FIRST: c_int = 8;
#[cfg(not(target_os = "linux"))]
const OWN_FIRST: c_int = 0;

/// Opens the first of the files that the loader finds, for as long as the process lives.
fn open(files: &[&str]) -> Result<&'static Library, String> {
    let mut reason = String::new();
    for file in files {
        // SAFETY: the initialisers of these libraries are those of well-known audio and mathematics
        // libraries, made to be loaded at any time.
        match unsafe { Opened::open(Some(*file), RTLD_NOW | RTLD_LOCAL | OWN_FIRST) } {
            Ok(library) => return Ok(Box::leak(Box::new(library.into()))),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

/// The address of a function or variable.
fn symbol<T: Copy>(library: &'static Library, name: &str) -> Result<T, String> {
    // SAFETY: each caller names the type that the library's documentation gives for the symbol.
    unsafe { library.get::<T>(name.as_bytes()) }
        .map(|symbol| *symbol)
        .map_err(|_| format!("the library has no {name}"))
}

/// A C string of a library.
fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return "version unknown".into();
    }
    // SAFETY: the libraries' version functions return strings that end with a zero and live as long
    // as the library, which is never closed.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

/// A library's functions with their prototypes, and `get`, which opens it once.
macro_rules! library {
    ($(#[$doc:meta])* $name:ident from $files:expr; $(fn $function:ident = $symbol:literal ($($type:ty),* $(; $dots:tt)?) $(-> $result:ty)?;)*) => {
        $(#[$doc])*
        pub struct $name {
            $(pub $function: unsafe extern "C" fn($($type,)* $($dots)?) $(-> $result)?,)*
            pub version: String,
        }

        impl $name {
            /// The library's functions.
            pub fn get() -> $crate::peers::Peer<Self> {
                static ONCE: std::sync::OnceLock<Result<$name, String>> = std::sync::OnceLock::new();
                let opened = ONCE.get_or_init(|| {
                    let library = $crate::peers::open($files)?;
                    let mut this = Self {
                        $($function: $crate::peers::symbol(library, $symbol)?,)*
                        version: String::new(),
                    };
                    this.begin(library)?;
                    Ok(this)
                });
                opened.as_ref().map_err(String::as_str)
            }
        }
    };
}
use library;
