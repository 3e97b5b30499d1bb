//! Trials of accelerators: every kernel against a double-precision reference.

/// The trials of a module, each by the name of its kernel.
macro_rules! trials {
    ($($name:ident)*) => {
        pub(super) fn trials() -> Vec<$crate::Trial<dyn auralis_core::Accelerator>> {
            vec![$($crate::Trial {
                name: stringify!($name),
                needs: Some(stringify!($name)),
                quick: true,
                run: |subject| {
                    $name(subject)?;
                    super::environment::unchanged()
                },
            }),*]
        }
    };
}

mod environment;
mod formats;
mod functions;
mod guarded;
mod listed;
mod plans;
mod reference;
mod remembered;
mod samples;
mod slices;
mod sweep;
pub mod user_kernel;

use auralis_core::Accelerator;

use crate::{Subject, Trial, options};

type Tested<'a> = &'a Subject<'a, dyn Accelerator>;

/// At least one trial for each kernel, named as the kernel is, and one for what a backend lists.
pub fn trials() -> Vec<Trial<dyn Accelerator>> {
    let mut trials = slices::trials();
    trials.extend(formats::trials());
    trials.extend(functions::trials());
    trials.extend(plans::trials());
    trials.push(listed::TRIAL);
    trials.push(options::trial());
    trials
}
