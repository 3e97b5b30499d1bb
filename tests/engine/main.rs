//! The engine as a library user meets it: stages, meters, mastering and the orchestrator, each
//! against an oracle of its own.

#[cfg(feature = "cli")]
mod convolve;
mod denormals;
#[cfg(all(feature = "cli", feature = "plugins"))]
mod dylib;
mod ebu_cases;
mod equalizer;
mod fallback;
mod limiter;
#[cfg(feature = "cli")]
mod mastering;
mod meters;
mod multiband;
mod optimizer;
#[cfg(feature = "cli")]
mod resample;
mod sessions;
mod signals;
