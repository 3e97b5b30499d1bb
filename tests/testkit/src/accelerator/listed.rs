//! The trial of what a backend does not list: it says so.

use auralis_core::{
    Accelerator, Biquad, ConvolutionMode, ConvolverSpec, Error, ErrorKind, Kernel, Latency, Window,
    for_each_plan, for_each_slice_kernel,
};

use crate::{Outcome, Subject, Trial};

/// Every kernel that is not listed answers [`ErrorKind::Unsupported`]. A listed name that is no kernel
/// here may be one of a newer version: it is left out.
pub(super) const TRIAL: Trial<dyn Accelerator> = Trial {
    name: "unsupported",
    needs: None,
    quick: true,
    run: unsupported,
};

fn unsupported(subject: &Subject<'_, dyn Accelerator>) -> Outcome {
    let accelerator = subject.instance()?;
    for (kernel, answer) in answers(&*accelerator) {
        if subject.offers(kernel.name()) {
            continue;
        }
        let found = match answer {
            Err(error) if error.kind() == ErrorKind::Unsupported => continue,
            Err(error) => format!("{error:?}"),
            Ok(()) => "a result".to_owned(),
        };
        let name = kernel.name();
        return Err(format!(
            "{name} is not listed, yet it answers with {found}, not Unsupported"
        ));
    }
    Ok(())
}

/// An argument by the name of its method and its own.
macro_rules! argument {
    ($method:ident window) => { argument!(@ $method) };
    (@ window) => { Window::Hann };
    (@ $other:ident) => { 1 };
    ($method:ident gain) => { 1.0 };
    ($method:ident from) => { 1.0 };
    ($method:ident to) => { 1.0 };
    ($method:ident low) => { 0.0 };
    ($method:ident high) => { 1.0 };
    ($method:ident len) => { 1 };
    ($method:ident channels) => { 1 };
    ($method:ident mode) => { ConvolutionMode::Full };
    ($method:ident sections) => { &[Biquad { b0: 1.0, b1: 0.0, b2: 0.0, a1: 0.0, a2: 0.0 }] };
    ($method:ident spec) => {
        &ConvolverSpec { impulse: &[1.0], block: 1, latency: Latency::Zero }
    };
    (interleave planes) => { &[&[0.0]] };
    (deinterleave planes) => { &mut [&mut [0.0]] };
    ($method:ident $slice:ident) => { &mut [Default::default()] };
}

/// What every kernel answers to arguments that are as small as they may be.
fn answers(accelerator: &dyn Accelerator) -> Vec<(Kernel, Result<(), Error>)> {
    let mut answers = Vec::new();
    macro_rules! ask {
        ($($kernel:ident $method:ident($($arg:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
            answers.push((Kernel::$kernel, accelerator.$method($(argument!($method $arg)),*).map(drop)));
        )*};
    }
    for_each_slice_kernel!(ask);
    for_each_plan!(ask);
    answers
}
