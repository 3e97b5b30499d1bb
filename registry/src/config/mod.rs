//! Configuration: layers are read, checked against schemas, and merged into one typed [`Config`].
//!
//! Layers in rising precedence: the built-in defaults, one file, environment variables, flags. Every
//! fault of every layer is collected with its place; only what is free of faults is deserialised.
//!
//! ```
//! use auralis_registry::config::{Catalog, Sources, load};
//!
//! let catalog = Catalog::new().backend("cache", "lru", "{}")?.complete(true);
//! let sources = Sources { sets: vec!["cache.capacity_mb=256".into()], ..Sources::default() };
//! let loaded = load(&sources, &catalog)?;
//! assert_eq!(loaded.config.cache.capacity_mb, 256);
//! # Ok::<(), auralis_core::Error>(())
//! ```

mod catalog;
mod checks;
mod diagnostics;
mod layers;
mod load;
mod model;
mod origins;
mod schema;
mod tree;
mod wording;

pub use catalog::{Catalog, schema};
pub use diagnostics::{ConfigError, Diagnostic, DiagnosticKind, Origin};
pub use layers::Sources;
pub use load::{Loaded, load, load_text};
pub use model::{
    Accelerator, AllowedPlugin, BufferPool, Cache, Config, Cpu, Executor, Plugins, Process,
    Profiler, Threshold,
};
pub use origins::Origins;
pub use schema::unchecked_keywords;
