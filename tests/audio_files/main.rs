//! Audio files are read exactly, written exactly, and refused when they are damaged.

mod compressed;
mod damaged;
mod files;
mod reading;
mod wav;
mod written;
