//! The conformance trials of this module alone, on every instruction set that this CPU has.

use std::sync::Arc;

use auralis_core::{Accelerator, BuildContext, CpuFeatures, Kernel, NoOptions, Result};
use auralis_testkit::{Subject, accelerator::plans};

use crate::isa::{Isa, Portable};

#[derive(Debug)]
struct Planned<I>(I);

impl<I: Isa> Accelerator for Planned<I> {
    crate::plan::planned_methods!(self => self.0);
}

fn conforms<I: Isa>() {
    let Some(isa) = I::detect(CpuFeatures::detect()) else {
        eprintln!("this CPU lacks {}", I::NAME);
        return;
    };
    let build = |_: &BuildContext<'_, dyn Accelerator>| -> Result<Arc<dyn Accelerator>> {
        Ok(Arc::new(Planned(isa)))
    };
    let cpu = CpuFeatures::detect();
    let subject = Subject::new(I::NAME, Kernel::NAMES, NoOptions::SCHEMA, cpu, &build);
    let mut failures = Vec::new();
    for trial in plans::trials() {
        let start = std::time::Instant::now();
        if let Err(failure) = (trial.run)(&subject) {
            failures.push(format!("{}: {failure}", trial.name));
        }
        eprintln!("{} {:?}", trial.name, start.elapsed());
    }
    assert!(failures.is_empty(), "{}:\n{}", I::NAME, failures.join("\n"));
}

macro_rules! conformance {
    ($($(#[$cfg:meta])* $test:ident $isa:path;)*) => {
        $(
            $(#[$cfg])*
            #[test]
            fn $test() {
                conforms::<$isa>();
            }
        )*
    };
}

conformance! {
    portable Portable;
    #[cfg(target_arch = "x86_64")]
    sse42 crate::isa::Sse42;
    #[cfg(target_arch = "x86_64")]
    avx2 crate::isa::Avx2;
    #[cfg(target_arch = "x86_64")]
    avx512 crate::isa::Avx512;
    #[cfg(target_arch = "aarch64")]
    neon crate::isa::Neon;
}
