//! The accelerator that runs the kernels of one instruction set.

use std::sync::Arc;

use auralis_core::{
    Accelerator, BuildContext, Complex, CpuFeatures, Error, ErrorKind, NoOptions, Result, Window,
};

use crate::compiled::Compiled;
use crate::isa::Portable;
use crate::plan::{self, for_each_planned};

/// The kernels of `I`, on a CPU that computes in halves or not.
#[derive(Clone, Debug)]
struct Vectorized<I, const HALVES: bool> {
    isa: I,
    /// What plans, and works on whole signals, in its place.
    others: Option<Arc<dyn Accelerator>>,
}

fn vectorized<I: Compiled>(isa: I) -> Arc<dyn Accelerator> {
    let others = None;
    if isa.halves() {
        Arc::new(Vectorized::<I, true> { isa, others })
    } else {
        Arc::new(Vectorized::<I, false> { isa, others })
    }
}

/// Builds the accelerator of an instruction set.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] with the features that the CPU lacks or the configuration hides.
pub(crate) fn build<I: Compiled>(
    context: &BuildContext<'_, dyn Accelerator>,
) -> Result<Arc<dyn Accelerator>> {
    context.options.parse::<NoOptions>()?;
    match I::detect(context.cpu) {
        Some(isa) => Ok(vectorized(isa)),
        None => Err(unavailable::<I>(context.cpu)),
    }
}

fn unavailable<I: Compiled>(allowed: CpuFeatures) -> Error {
    let detected = CpuFeatures::detect();
    let message = "this CPU lacks features that the backend needs, or the configuration hides them";
    Error::new(ErrorKind::Unavailable, message)
        .with("backend", I::NAME)
        .with("lacks", I::REQUIRES.missing_from(detected))
        .with(
            "hidden",
            I::REQUIRES
                .missing_from(allowed)
                .without(I::REQUIRES.without(detected)),
        )
}

/// The accelerator of the instruction set with this name, if its features are allowed and the CPU has
/// them; else the portable one.
pub(crate) fn by_name(name: &str, allowed: CpuFeatures) -> Arc<dyn Accelerator> {
    fn named<I: Compiled>(name: &str, allowed: CpuFeatures) -> Option<Arc<dyn Accelerator>> {
        let isa = I::detect(allowed).filter(|_| I::NAME == name)?;
        Some(vectorized(isa))
    }
    #[cfg(target_arch = "x86_64")]
    let found = named::<crate::isa::Avx512>(name, allowed)
        .or_else(|| named::<crate::isa::Avx2>(name, allowed))
        .or_else(|| named::<crate::isa::Sse42>(name, allowed));
    #[cfg(target_arch = "aarch64")]
    let found = named::<crate::isa::Neon>(name, allowed);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let found = named::<Portable>(name, allowed);
    found.unwrap_or_else(|| vectorized(Portable))
}

macro_rules! methods {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $check:expr;)*) => {$(
        fn $name(&self, $($arg: $type),*) -> Result<$result> {
            Compiled::$name::<HALVES>(&self.isa, $($arg),*)
        }
    )*};
}

macro_rules! planned {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {$(
        fn $name(&self, $($arg: $type),*) -> Result<$result> {
            match &self.others {
                Some(others) => others.$name($($arg),*),
                None => plan::$name(self.isa, $($arg),*),
            }
        }
    )*};
}

impl<I: Compiled, const HALVES: bool> Accelerator for Vectorized<I, HALVES> {
    for_each_kernel!(methods);
    for_each_planned!(planned);

    fn window(&self, dst: &mut [f32], window: Window) -> Result<()> {
        plan::window(self.isa, dst, window)
    }

    fn with_others(&self, others: Arc<dyn Accelerator>) -> Option<Arc<dyn Accelerator>> {
        Some(Arc::new(Self {
            isa: self.isa,
            others: Some(others),
        }))
    }
}
