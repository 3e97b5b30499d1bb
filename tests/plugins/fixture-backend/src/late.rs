//! The backend `panics-later`: works like `fixture` until a call that it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auralis_core::{
    Accelerator, CpuFeatures, Descriptor, Result, for_each_plan, for_each_slice_kernel, register,
};
use serde::Deserialize;

use crate::working::{CAPABILITIES, Working};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// The call that panics, counted from 1; 0: none.
    panic_at: u64,
}

#[derive(Debug)]
struct Late {
    inner: Working,
    panic_at: u64,
    calls: AtomicU64,
}

register! {
    Descriptor::<dyn Accelerator> {
        id: "panics-later",
        summary: "Works for a while",
        version: env!("CARGO_PKG_VERSION"),
        rank: -1,
        requires: CpuFeatures::NONE,
        capabilities: CAPABILITIES,
        options_schema: r#"{"type":"object","properties":{"panic_at":{"type":"integer"}}}"#,
        build: |context| {
            let options: Options = context.options.parse()?;
            Ok(Arc::new(Late {
                inner: Working::new(context.cpu),
                panic_at: options.panic_at,
                calls: AtomicU64::new(0),
            }))
        },
    }
}

macro_rules! pass_on {
    ($($kernel:ident $method:ident($($name:ident: $kind:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($name: $kind),*) -> Result<$result> {
            let call = 1 + self.calls.fetch_add(1, Ordering::Relaxed);
            assert!(call != self.panic_at, "call {call} of {}", stringify!($method));
            self.inner.$method($($name),*)
        }
    )*};
}

impl Accelerator for Late {
    for_each_slice_kernel!(pass_on);
    for_each_plan!(pass_on);
}
